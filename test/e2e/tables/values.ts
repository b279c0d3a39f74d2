/** Values that are not acceptable: base64, contexts, names, labels, numbers, times (api.md §§ 1, 5, 7). */
import { type BadCase, encrypt, KEYS, PLAINTEXT_BASE64 as P, post } from "./case.ts";

const refused = (name: string, asked: BadCase["asked"], field: BadCase["field"] & {}): BadCase => ({
  name,
  asked,
  status: 400,
  code: "INVALID_ARGUMENT",
  field,
});

const lenient: readonly (readonly [name: string, text: string])[] = [
  ["without padding", "YWI"],
  ["with half its padding", "YQ="],
  ["with too much padding", "YWJj===="],
  ["with trailing bits", "YWJ="],
  ["with more trailing bits", "YR=="],
  ["of the url alphabet", "-_-_"],
  ["with a line end", "YWJj\n"],
  ["with a space", "YW Jj"],
  ["with padding inside", "YQ==YWJj"],
  ["with another character", "YWJ!"],
];

const contexts: readonly (readonly [name: string, context: unknown, at: string])[] = [
  ["an empty name", { "": "a" }, "/context/"],
  ["a name of 129 characters", { ["é".repeat(129)]: "a" }, `/context/${"é".repeat(129)}`],
  ["a value of 1025 characters", { a: "é".repeat(1025) }, "/context/a"],
  ["33 pairs", Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`n${index}`, "v"])), "/context"],
  [
    "more than 8192 bytes",
    Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`n${index}`, "v".repeat(1000)])),
    "/context",
  ],
];

export const BAD_VALUES: readonly BadCase[] = [
  ...lenient.map(([name, plaintext]) => refused(`base64 ${name}`, encrypt({ plaintext }), ["/plaintext", "format"])),
  ...contexts.map(([name, context, at]) =>
    refused(`a context with ${name}`, encrypt({ plaintext: P, context }), [at, "length"]),
  ),
  refused("a ciphertext of somebody else", post("/v1/decrypt", { ciphertext: "AQIDBA==" }), ["/ciphertext", "format"]),
  refused("an empty ciphertext", post("/v1/decrypt", { ciphertext: "" }), ["/ciphertext", "format"]),
  refused("a ciphertext of another case", post("/v1/decrypt", { ciphertext: "CLV1.AAAA" }), ["/ciphertext", "format"]),
  refused("a ciphertext after a space", post("/v1/decrypt", { ciphertext: " clv1.AAAA" }), ["/ciphertext", "format"]),
  refused("0 random bytes", post("/v1/random", { bytes: 0 }), ["/bytes", "range"]),
  refused("1025 random bytes", post("/v1/random", { bytes: 1025 }), ["/bytes", "range"]),
  refused("half a random byte", post("/v1/random", { bytes: 0.5 }), ["/bytes", "range"]),
  refused("a negative number", post("/v1/random", { bytes: -1 }), ["/bytes", "range"]),
  refused("a number beyond 2^53", post("/v1/random", '{"bytes":9007199254740993}'), ["/bytes", "range"]),
  refused("a number in quotes", post("/v1/random", { bytes: "32" }), ["/bytes", "type"]),
];

const create = (body: object): BadCase["asked"] => post("/v1/keys", { name: "fresh", ...body });

const names: readonly (readonly [name: string, text: string])[] = [
  ["with a slash", "a/b"],
  ["of 10 kB", "a".repeat(10_240)],
  ["of 129 characters", "a".repeat(129)],
  ["that is empty", ""],
  ["that looks like an id", "key_orders"],
  ["that begins with a dot", ".orders"],
  ["with a space", "my orders"],
  ["with an at", "orders@1"],
  ["with a line end", "orders\n"],
  ["beyond ASCII", "órders"],
  ["with a NUL", "orders\u0000"],
];

export const BAD_KEYS: readonly BadCase[] = [
  ...names.map(([name, text]) => refused(`a name ${name}`, create({ name: text }), ["/name", "format"])),
  refused("no name", post("/v1/keys", {}), ["/name", "required"]),
  refused("an alias that begins with a slash", create({ aliases: ["/a"] }), ["/aliases/0", "format"]),
  refused("an alias that looks like an id", create({ aliases: ["a", "key_1"] }), ["/aliases/1", "format"]),
  refused("an alias of 251 characters", create({ aliases: ["a".repeat(251)] }), ["/aliases/0", "format"]),
  refused("an alias twice", create({ aliases: ["a", "a"] }), ["/aliases", "duplicate"]),
  refused("17 aliases", create({ aliases: Array.from({ length: 17 }, (_, index) => `a${index}`) }), [
    "/aliases",
    "length",
  ]),
  refused("a label with a capital", create({ labels: { Team: "x" } }), ["/labels/Team", "format"]),
  refused("a label that is a number", create({ labels: { team: 1 } }), ["/labels/team", "type"]),
  refused("a label of 256 characters", create({ labels: { team: "é".repeat(256) } }), ["/labels/team", "length"]),
  refused(
    "33 labels",
    create({ labels: Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`l${index}`, ""])) }),
    ["/labels", "length"],
  ),
  refused("__proto__ as a label", post("/v1/keys", '{"name":"fresh","labels":{"__proto__":"x"}}'), [
    "/labels/__proto__",
    "format",
  ]),
  refused("a description of 1001 characters", create({ description: "é".repeat(1001) }), ["/description", "length"]),
  refused("a purpose that there is not", create({ purpose: "hash" }), ["/purpose", "enum"]),
  refused("an algorithm that there is not", create({ algorithm: "DES" }), ["/algorithm", "enum"]),
  refused("what the server sets", create({ id: "key_1" }), ["/id", "unknown-field"]),
  refused("a state", create({ state: "active" }), ["/state", "unknown-field"]),
  refused("an unknown member of custody", create({ custody: { kind: "portable", wraps: [] } }), [
    "/custody/wraps",
    "unknown-field",
  ]),
  refused("a custody that there is not", create({ custody: { kind: "paper" } }), ["/custody/kind", "enum"]),
  refused("a custody without kind", create({ custody: {} }), ["/custody/kind", "required"]),
  refused("no holder", create({ custody: { kind: "portable", holders: [] } }), ["/custody/holders", "length"]),
  refused("a holder twice", create({ custody: { kind: "portable", holders: ["hsm-a", "hsm-a"] } }), [
    "/custody/holders",
    "duplicate",
  ]),
  refused("rotation every 0 days", create({ rotation: { everyDays: 0 } }), ["/rotation/everyDays", "range"]),
  refused("rotation every 3651 days", create({ rotation: { everyDays: 3651 } }), ["/rotation/everyDays", "range"]),
  refused("a time without offset", create({ activateTime: "2030-01-01T00:00:00" }), ["/activateTime", "format"]),
  refused("a day that there is not", create({ activateTime: "2030-02-30T00:00:00Z" }), ["/activateTime", "format"]),
  refused("a time as a number", create({ activateTime: 1_900_000_000 }), ["/activateTime", "type"]),
  {
    name: "an unknown holder",
    asked: create({ custody: { kind: "portable", holders: ["nowhere"] } }),
    status: 400,
    code: "INVALID_ARGUMENT",
  },
  {
    name: "a minimum that the holders never meet",
    asked: create({ custody: { kind: "portable", holders: ["hsm-a"], minimum: 2 } }),
    status: 422,
    code: "REQUIREMENT_UNMET",
  },
  { name: "a name that is taken", asked: create({ name: KEYS.active }), status: 409, code: "NAME_TAKEN" },
  { name: "an alias that is taken", asked: create({ aliases: [KEYS.active] }), status: 409, code: "NAME_TAKEN" },
  refused("an alias that is its own name", create({ aliases: ["fresh"] }), ["/aliases/0", "duplicate"]),
];
