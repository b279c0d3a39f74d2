/** Keys in a state, of a purpose or with a holder that does not allow what is asked (api.md §§ 4-8). */
import { type BadCase, encrypt, KEYS, PLAINTEXT_BASE64 as P, post } from "./case.ts";

const on = (key: string, operation: string): string => `/v1/keys/${key}/${operation}`;
const refused =
  (status: number, code: string) =>
  (name: string, asked: BadCase["asked"]): BadCase => ({ name, asked, status, code });
const notActive = refused(409, "KEY_NOT_ACTIVE");
const illegal = refused(409, "ILLEGAL_TRANSITION");
const unusable = refused(409, "VERSION_NOT_USABLE");
const plaintext = { plaintext: P };
const batch = { items: [plaintext, plaintext] };
const why = { reason: "because" };

export const BAD_STATES: readonly BadCase[] = [
  notActive("a generated key does not encrypt", post(on(KEYS.generated, "encrypt"), plaintext)),
  notActive("a suspended key does not encrypt", post(on(KEYS.suspended, "encrypt"), plaintext)),
  notActive("a suspended key that may process does not encrypt", post(on(KEYS.processing, "encrypt"), plaintext)),
  notActive("a deactivated key does not encrypt", post(on(KEYS.deactivated, "encrypt"), plaintext)),
  notActive("a compromised key does not encrypt", post(on(KEYS.compromised, "encrypt"), plaintext)),
  notActive("a suspended key makes no data key", post(on(KEYS.suspended, "generate-data-key"), {})),
  notActive("a batch on a key that is not active is refused as a whole", post(on(KEYS.suspended, "encrypt"), batch)),
  illegal("an active key is not resumed from nothing", post(on(KEYS.generated, "resume"), why)),
  illegal("a generated key does not rotate", post(on(KEYS.generated, "rotate"), {})),
  illegal("a suspended key does not rotate", post(on(KEYS.suspended, "rotate"), {})),
  illegal("a deactivated key is not activated", post(on(KEYS.deactivated, "activate"), {})),
  illegal("a deactivated key is not suspended", post(on(KEYS.deactivated, "suspend"), { reason: "hold" })),
  unusable("an older version does not encrypt", post(on(`${KEYS.rotated}@1`, "encrypt"), plaintext)),
  refused(422, "UNSUPPORTED_COMBINATION")(
    "a signing key is never portable",
    post("/v1/keys", { name: "fresh", purpose: "sign", custody: { kind: "portable" } }),
  ),
  refused(422, "UNSUPPORTED_COMBINATION")(
    "a portable key has no native format",
    encrypt({ ...plaintext, format: "native" }),
  ),
  refused(400, "PLAINTEXT_TOO_LARGE")(
    "a plaintext of 524,289 bytes",
    encrypt({ plaintext: Buffer.alloc(524_289).toString("base64") }),
  ),
  refused(412, "GENERATION_MISMATCH")("another generation", {
    method: "PATCH",
    path: `/v1/keys/${KEYS.active}`,
    body: { description: "x" },
    headers: { "if-match": '"99"' },
  }),
  ...["name", "purpose", "algorithm", "custody"].map((name) => ({
    ...refused(422, "IMMUTABLE_FIELD")(`a new ${name}`, {
      method: "PATCH",
      path: `/v1/keys/${KEYS.active}`,
      body: { [name]: "x" },
    }),
    field: [`/${name}`, "conflict"] as const,
  })),
  refused(404, "KEY_NOT_FOUND")("a new name of a key that there is not", {
    method: "PATCH",
    path: "/v1/keys/nothing",
    body: { name: "x" },
  }),
  refused(400, "INVALID_ARGUMENT")("what the server sets, in PATCH", {
    method: "PATCH",
    path: `/v1/keys/${KEYS.active}`,
    body: { generation: 7 },
  }),
  refused(400, "INVALID_ARGUMENT")("a reason that there is not", post(on(KEYS.active, "suspend"), { reason: "bored" })),
  refused(400, "INVALID_ARGUMENT")("no reason", post(on(KEYS.active, "suspend"), {})),
];
