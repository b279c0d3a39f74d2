import type { Gateway } from "../../e2e/live-gateway.ts";
import { change, type Estate } from "./estate.ts";
import type { RawRow, Vandal } from "./vandal.ts";

/** Makes everything that the deeds are done to, and takes the rows that are valid only now. */
export async function furnish(gateway: Gateway, estate: Estate, vandal: Vandal): Promise<ReadonlyMap<string, RawRow>> {
  for (const name of ["payments", "archive", "vault"]) await estate.addNamespace(gateway, name);
  for (const name of ["fine", "edited", "left", "right", "deleted", "copied", "suspended", "stopped-later", "resealed"])
    await estate.addKey(gateway, name);
  for (const name of ["rotated", "version-left", "version-right"]) await estate.addKey(gateway, name);
  for (const name of ["wrap-edited", "wraps-gone", "wrap-planted", "recipient-edited", "branch-edited"])
    await estate.addKey(gateway, name, { dedicated: true });
  await estate.addKey(gateway, "branch-version-gone", { dedicated: true });
  for (const name of ["card", "card-suspended"]) await estate.addKey(gateway, name, { namespace: "payments" });
  await estate.addKey(gateway, "ledger", { namespace: "archive" });
  await estate.addKey(gateway, "vaulted", { namespace: "vault" });
  for (const name of ["low", "gone", "revoked", "revoked-later", "replaced"])
    await estate.addClient(gateway, { name, allow: ["*"] });
  await estate.addClient(gateway, { name: "climber", allow: ["*"] });
  await estate.addClient(gateway, { name: "grasper" });
  await estate.addClient(gateway, { name: "widener", keys: ["none"], allow: ["*"] });
  await estate.addClient(gateway, { name: "bound", allow: ["*"], contextEquals: { tenant: "a" } });
  for (const name of ["high", "chief"]) await estate.addClient(gateway, { name, role: "admin", allow: ["*"] });
  const before = [
    vandal.read("keys", estate.key("stopped-later").id),
    vandal.read("credentials", estate.client("revoked-later").credential),
  ];
  await change(gateway, "/v1/keys/rotated/rotate");
  for (const name of ["suspended", "stopped-later"])
    await change(gateway, `/v1/keys/${name}/suspend`, { reason: "hold" });
  for (const [name, namespace] of [
    ["card-suspended", "payments"],
    ["vaulted", "vault"],
  ] as const)
    await change(gateway, `/v1/keys/${name}/suspend`, { reason: "hold" }, { "claviger-namespace": namespace });
  for (const name of ["revoked", "revoked-later"]) {
    const { id, credential } = estate.client(name);
    await change(gateway, `/v1/clients/${id}/credentials/${credential}/revoke`);
  }
  return new Map(before.map((row) => [row.id, row]));
}
