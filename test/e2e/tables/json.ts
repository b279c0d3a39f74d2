/** Bodies that are not JSON as the interface wants it (api.md §§ 1.1, 4), in the way of an operation on a key. */
import { type BadCase, encrypt, PLAINTEXT_BASE64 as P } from "./case.ts";

const malformed = (name: string, body: string | Buffer): BadCase => ({
  name,
  asked: encrypt(body),
  status: 400,
  code: "MALFORMED_JSON",
});
const deep = (levels: number): string =>
  `{"plaintext":"${P}","context":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;

export const BAD_JSON: readonly BadCase[] = [
  malformed("half a body", `{"plaintext":"${P}"`),
  malformed("trailing data", `{"plaintext":"${P}"} {}`),
  malformed("a second document", `{"plaintext":"${P}"}\n{"plaintext":"${P}"}`),
  malformed("a trailing comma", `{"plaintext":"${P}",}`),
  malformed("a comment", `{"plaintext":"${P}"/* why */}`),
  malformed("single quotes", `{'plaintext':'${P}'}`),
  malformed("a name without quotes", `{plaintext:"${P}"}`),
  malformed("NaN", `{"plaintext":NaN}`),
  malformed("white space alone", "  \n"),
  malformed("a control character in a text", `{"plaintext":"${P}\u0000"}`),
  malformed("a byte order mark", Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(`{"plaintext":"${P}"}`)])),
  malformed("utf-16", Buffer.from(`{"plaintext":"${P}"}`, "utf16le")),
  malformed(
    "invalid utf-8",
    Buffer.concat([Buffer.from('{"plaintext":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
  ),
  malformed("a duplicate member", `{"plaintext":"${P}","plaintext":"${P}"}`),
  malformed("a duplicate member, once escaped", `{"plaintext":"${P}","plaintex\\u0074":"${P}"}`),
  malformed("a duplicate name in a context", `{"plaintext":"${P}","context":{"a":"1","a":"2"}}`),
  malformed("__proto__ twice in a context", `{"plaintext":"${P}","context":{"__proto__":"1","__proto__":"2"}}`),
  malformed("a duplicate member in an item", `{"items":[{"plaintext":"${P}","plaintext":"${P}"}]}`),
  malformed("nine levels", deep(9)),
  malformed("a hundred thousand levels", deep(100_000)),
  malformed("a lone high surrogate", `{"plaintext":"${P}","context":{"a":"\\ud800"}}`),
  malformed("a lone low surrogate", `{"plaintext":"${P}","context":{"a":"\\udc00"}}`),
  malformed("surrogates in the wrong order", `{"plaintext":"${P}","context":{"a":"\\udc00\\ud800"}}`),
  malformed("a lone surrogate in a name", `{"plaintext":"${P}","context":{"\\ud800":"a"}}`),
];

const wrongShape = (name: string, body: string, field: BadCase["field"] & {}): BadCase => ({
  name,
  asked: encrypt(body),
  status: 400,
  code: "INVALID_ARGUMENT",
  field,
});

/** JSON, but of another shape than the operation's. */
export const BAD_SHAPE: readonly BadCase[] = [
  wrongShape("an empty body, which is {}", "", ["/plaintext", "required"]),
  wrongShape("eight levels", deep(8), ["/context", "type"]),
  wrongShape("a list", "[]", ["", "type"]),
  wrongShape("null", "null", ["", "type"]),
  wrongShape("a number", "1", ["", "type"]),
  wrongShape("a text", '"plaintext"', ["", "type"]),
  wrongShape("an unknown member", `{"plaintext":"${P}","plaintxt":"x"}`, ["/plaintxt", "unknown-field"]),
  wrongShape("another case", `{"Plaintext":"${P}","plaintext":"${P}"}`, ["/Plaintext", "unknown-field"]),
  wrongShape("__proto__ as a member", `{"plaintext":"${P}","__proto__":{}}`, ["/__proto__", "unknown-field"]),
  wrongShape("__proto__ with what is missing", `{"__proto__":{"plaintext":"${P}"}}`, ["/plaintext", "required"]),
  wrongShape("constructor as a member", `{"plaintext":"${P}","constructor":{}}`, ["/constructor", "unknown-field"]),
  wrongShape("a plaintext that is null", '{"plaintext":null}', ["/plaintext", "type"]),
  wrongShape("a plaintext that is a number", '{"plaintext":1}', ["/plaintext", "type"]),
  wrongShape("a context that is a list", `{"plaintext":"${P}","context":[]}`, ["/context", "type"]),
  wrongShape("a context that is a text", `{"plaintext":"${P}","context":"a"}`, ["/context", "type"]),
  wrongShape("a value of a context that is a number", `{"plaintext":"${P}","context":{"a":1}}`, ["/context/a", "type"]),
  wrongShape("a value of a context that is null", `{"plaintext":"${P}","context":{"a":null}}`, ["/context/a", "type"]),
  wrongShape("a name that RFC 6901 escapes", `{"plaintext":"${P}","context":{"a/b~":1}}`, ["/context/a~1b~0", "type"]),
  wrongShape("a format that there is not", `{"plaintext":"${P}","format":"pkcs7"}`, ["/format", "enum"]),
  wrongShape("a batch with more than items", `{"items":[{"plaintext":"${P}"}],"context":{}}`, [
    "/context",
    "unknown-field",
  ]),
  wrongShape("a batch that is no list", '{"items":{}}', ["/items", "type"]),
  wrongShape("a batch without items", '{"items":[]}', ["/items", "length"]),
  wrongShape("a batch of 1001", JSON.stringify({ items: Array.from({ length: 1001 }, () => ({ plaintext: "" })) }), [
    "/items",
    "length",
  ]),
  wrongShape("an item that lacks a member", '{"items":[{"plaintext":""},{}]}', ["/items/1/plaintext", "required"]),
  wrongShape("an item with an unknown member", '{"items":[{"plaintext":"","x":1}]}', ["/items/0/x", "unknown-field"]),
  wrongShape("an item of the wrong type", '{"items":[{"plaintext":""},7]}', ["/items/1", "type"]),
  wrongShape("an item with a wrong type inside", '{"items":[{"plaintext":5}]}', ["/items/0/plaintext", "type"]),
];
