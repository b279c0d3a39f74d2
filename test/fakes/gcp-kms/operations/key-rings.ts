import { alreadyExists } from "../failure.ts";
import type { Operations } from "../methods.ts";
import { pageOf } from "../paging.ts";
import { renderKeyRing } from "../render.ts";
import { getKeyRing, parseId, parseLocation } from "../resolve.ts";

export const keyRingOperations: Pick<Operations, "ListKeyRings" | "GetKeyRing" | "CreateKeyRing"> = {
  ListKeyRings: (kms, request) => {
    const parent = parseLocation(request.parent);
    const all = [...kms.keyRings.values()].filter(({ name }) => name.startsWith(`${parent}/`));
    const { items, nextPageToken, totalSize } = pageOf(kms, all, { asked: request, fields: ({ name }) => ({ name }) });
    return { keyRings: items.map(renderKeyRing), nextPageToken, totalSize };
  },

  GetKeyRing: (kms, { name }) => renderKeyRing(getKeyRing(kms, name)),

  CreateKeyRing: (kms, { parent, keyRingId }) => {
    const name = `${parseLocation(parent)}/keyRings/${parseId(keyRingId, "key_ring_id")}`;
    if (kms.keyRings.has(name)) throw alreadyExists("KeyRing", name);
    const ring = { name, createdMs: kms.now() };
    kms.keyRings.set(name, ring);
    return renderKeyRing(ring);
  },
};
