import fc from "fast-check";
import { expect, it } from "vitest";
import { parseUuid, uuidBytes, uuidFromBytes, writeUuid } from "#core/ids.ts";

it("gives a UUID its 16 bytes, and back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const uuid = uuidFromBytes(bytes);
      expect(parseUuid(uuid).replaceAll("-", "")).toBe(Buffer.from(bytes).toString("hex"));
      expect(uuidBytes(uuid)).toEqual(Buffer.from(bytes));
    }),
  );
});

it("writes a UUID where it is asked to, and nothing beside it", () => {
  const uuid = parseUuid("01890a5d-ac96-774b-bcce-b302099a8057");
  const out = Buffer.alloc(20, 0xee);
  expect(writeUuid(uuid, out, 3).toString("hex")).toBe("eeeeee01890a5dac96774bbcceb302099a8057ee");
});
