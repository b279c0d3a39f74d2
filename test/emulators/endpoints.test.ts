import { expect, it } from "vitest";
import { parseEmulators } from "./endpoints.ts";

it("the table becomes a list in its own order", () => {
  const text = `{"b":{"endpoint":"http://127.0.0.1:2","auth":true},"a":{"endpoint":"http://127.0.0.1:1","auth":false}}`;
  expect(parseEmulators(text)).toEqual([
    { name: "b", endpoint: "http://127.0.0.1:2", auth: true },
    { name: "a", endpoint: "http://127.0.0.1:1", auth: false },
  ]);
});

it.for([
  ["no table at all", undefined, /is not set: these tests run under localstack\/emulators\.ts/u],
  ["an empty text", "", /is not set/u],
  ["a text that is not JSON", "local-kms http://127.0.0.1:1", /is not JSON/u],
  ["an empty table", "{}", /names no emulator/u],
  ["an endpoint that is no URL", `{"a":{"endpoint":"127.0.0.1","auth":false}}`, /endpoint/u],
  ["a missing field", `{"a":{"endpoint":"http://127.0.0.1:1"}}`, /auth/u],
  ["an unknown field", `{"a":{"endpoint":"http://127.0.0.1:1","auth":false,"port":1}}`, /port/u],
] as const)("%s is refused with its reason", ([, text, reason]) => {
  expect(() => parseEmulators(text)).toThrow(reason);
});
