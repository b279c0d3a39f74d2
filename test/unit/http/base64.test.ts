import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeBase64 } from "#http/base64.ts";

// RFC 4648 § 10
it.for([
  ["", ""],
  ["Zg==", "f"],
  ["Zm8=", "fo"],
  ["Zm9v", "foo"],
  ["Zm9vYg==", "foob"],
  ["Zm9vYmE=", "fooba"],
  ["Zm9vYmFy", "foobar"],
])("reads %s", ([text = "", value]) => {
  expect(decodeBase64(text)?.toString()).toBe(value);
});

it.for([
  ["no padding", "Zg"],
  ["half the padding", "Zg="],
  ["too much padding", "Zm9v===="],
  ["padding alone", "===="],
  ["non-zero trailing bits", "Zh=="],
  ["non-zero trailing bits of two bytes", "Zm9="],
  ["the url alphabet", "-_-_"],
  ["a line end", "Zm9v\n"],
  ["white space inside", "Zm 9"],
  ["white space before", " Zm9v"],
  ["padding inside", "Zg==Zm9v"],
  ["another character", "Zm9*"],
  ["a character beyond ASCII", "Zm9é"],
  ["five characters", "Zm9vY"],
])("refuses %s", ([, text = ""]) => {
  expect(decodeBase64(text)).toBeUndefined();
});

it("reads what it wrote, into bytes of the caller's own", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const decoded = decodeBase64(Buffer.from(bytes).toString("base64"));
      expect(decoded?.equals(bytes)).toBe(true);
    }),
  );
});
