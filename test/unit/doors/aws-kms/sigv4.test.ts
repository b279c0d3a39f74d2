import { createHmac, hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { AwsError } from "#doors/aws-kms/aws-error.ts";
import { deriveSigningKey, readClaim, signatureFits, SKEW_MS, type SignedRequest } from "#doors/aws-kms/sigv4.ts";

const NOW = Date.parse("2026-11-25T12:00:00Z");
const DATE = "20261125";
const TIME = `${DATE}T120000Z`;
const SECRET = "a-secret-of-forty-characters-0123456789ab";
const BOUNDS = { now: NOW, region: "eu-west-1" };
const BODY = Buffer.from('{"KeyId":"alias/orders"}');

type Changes = {
  readonly headers?: readonly (readonly [string, string])[];
  readonly secret?: string;
  readonly scope?: string;
  readonly time?: string;
  readonly signed?: string;
  readonly extra?: readonly (readonly [string, string])[];
  readonly authorization?: (text: string) => string;
};

/** A request as a client signs it, by an implementation of this test's own; then changed. */
function request(changes: Changes = {}): SignedRequest {
  const time = changes.time ?? TIME;
  const scope = changes.scope ?? `${time.slice(0, 8)}/eu-west-1/kms/aws4_request`;
  const headers = [
    ["Host", "kms.example"],
    ["Content-Type", "application/x-amz-json-1.1"],
    ["X-Amz-Target", "TrentService.Encrypt"],
    ["X-Amz-Date", time],
    ...(changes.headers ?? []),
  ] as const;
  const byName = new Map<string, string>();
  for (const [name, value] of headers) {
    const known = byName.get(name.toLowerCase());
    const text = value.trim().replaceAll(/ +/gu, " ");
    byName.set(name.toLowerCase(), known === undefined ? text : `${known},${text}`);
  }
  const names = changes.signed?.split(";") ?? [...byName.keys()].toSorted();
  const lines = names.map((name) => `${name}:${byName.get(name) ?? ""}\n`).join("");
  const canonical = `POST\n/\n\n${lines}\n${names.join(";")}\n${hash("sha256", BODY)}`;
  const mac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
  let key: string | Buffer = `AWS4${changes.secret ?? SECRET}`;
  for (const part of scope.split("/")) key = mac(key, part);
  const signature = mac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash("sha256", canonical)}`).toString("hex");
  const text = `AWS4-HMAC-SHA256 Credential=AKIDCLAVIGER0000001/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  const authorization = changes.authorization?.(text) ?? text;
  const all = [
    ...headers,
    ...(changes.extra ?? []),
    ...(authorization === "" ? [] : [["Authorization", authorization] as const]),
  ];
  return { method: "POST", url: "/", rawHeaders: all.flat(), body: BODY };
}

function outcome(given: SignedRequest, bounds = BOUNDS): string {
  try {
    const claim = readClaim(given, bounds);
    return signatureFits(claim, deriveSigningKey(Buffer.from(SECRET), claim.scope)) ? "fits" : "does not fit";
  } catch (error) {
    return error instanceof AwsError ? error.code : String(error);
  }
}

describe("a signature", () => {
  it("fits as clients make it, whatever else they sign", () => {
    expect(outcome(request())).toBe("fits");
    expect(
      outcome(
        request({
          headers: [
            ["X-Amz-Content-Sha256", hash("sha256", BODY)],
            ["X-Amz-User-Agent", " a   b "],
            ["amz-sdk-request", "attempt=1; max=3"],
          ],
        }),
      ),
    ).toBe("fits");
    expect(
      outcome(
        request({
          headers: [
            ["My-Header", "one"],
            ["My-Header", "two"],
          ],
        }),
      ),
    ).toBe("fits");
  });

  it("names who signed", () => {
    expect(readClaim(request(), BOUNDS)).toMatchObject({
      accessKeyId: "AKIDCLAVIGER0000001",
      scope: { date: DATE, region: "eu-west-1", service: "kms" },
    });
  });

  it("does not fit with another secret, another body, or a header that was changed", () => {
    expect(outcome(request({ secret: "another" }))).toBe("does not fit");
    expect(outcome({ ...request(), body: Buffer.from("{}") })).toBe("does not fit");
    const { rawHeaders, ...rest } = request();
    expect(outcome({ ...rest, rawHeaders: rawHeaders.map((text) => text.replace("Encrypt", "Decrypt")) })).toBe(
      "does not fit",
    );
    expect(outcome({ ...request(), method: "PUT" })).toBe("does not fit");
  });

  it("counts five minutes to both sides, and no more", () => {
    for (const offset of [-SKEW_MS, SKEW_MS]) {
      expect(outcome(request(), { ...BOUNDS, now: NOW + offset })).toBe("fits");
      expect(outcome(request(), { ...BOUNDS, now: NOW + offset + Math.sign(offset) })).toBe(
        "InvalidSignatureException",
      );
    }
  });

  it.for([
    ["no Authorization", request({ authorization: () => "" }), "MissingAuthenticationTokenException"],
    [
      "another form",
      request({ authorization: (text) => text.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256") }),
      "IncompleteSignatureException",
    ],
    ["a short signature", request({ authorization: (text) => text.slice(0, -1) }), "IncompleteSignatureException"],
    [
      "something after the signature",
      request({ authorization: (text) => `${text}, X=1` }),
      "IncompleteSignatureException",
    ],
    ["two Authorizations", request({ extra: [["Authorization", "x"]] }), "IncompleteSignatureException"],
    ["two hosts", request({ extra: [["Host", "other.example"]] }), "IncompleteSignatureException"],
    ["two targets", request({ extra: [["x-amz-target", "TrentService.Decrypt"]] }), "IncompleteSignatureException"],
    [
      "names out of order",
      request({ signed: "x-amz-date;host;content-type;x-amz-target" }),
      "IncompleteSignatureException",
    ],
    [
      "a name twice",
      request({ signed: "content-type;host;host;x-amz-date;x-amz-target" }),
      "IncompleteSignatureException",
    ],
    ["another region", request({ scope: `${DATE}/us-east-1/kms/aws4_request` }), "InvalidSignatureException"],
    ["another service", request({ scope: `${DATE}/eu-west-1/s3/aws4_request` }), "InvalidSignatureException"],
    [
      "another day in the scope",
      request({ scope: "20261124/eu-west-1/kms/aws4_request" }),
      "InvalidSignatureException",
    ],
    [
      "no time",
      request({ time: "yesterday", scope: `${DATE}/eu-west-1/kms/aws4_request` }),
      "IncompleteSignatureException",
    ],
    ["a target that is not signed", request({ signed: "content-type;host;x-amz-date" }), "InvalidSignatureException"],
    [
      "a host that is not signed",
      request({ signed: "content-type;x-amz-date;x-amz-target" }),
      "InvalidSignatureException",
    ],
    ["a header of AWS's that was added", request({ extra: [["X-Amz-Extra", "1"]] }), "InvalidSignatureException"],
    [
      "a signed header that is missing",
      request({ signed: "content-type;host;x-amz-date;x-amz-target;x-other" }),
      "InvalidSignatureException",
    ],
    [
      "an unsigned body",
      request({ headers: [["X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"]] }),
      "InvalidSignatureException",
    ],
    ["a session token", request({ headers: [["X-Amz-Security-Token", "token"]] }), "UnrecognizedClientException"],
    ["a signature in the query", { ...request(), url: "/?X-Amz-Signature=00" }, "IncompleteSignatureException"],
    ["another path", { ...request(), url: "/other" }, "UnknownOperationException"],
  ] as const)("is refused: %s", ([, given, code]) => {
    expect(outcome(given)).toBe(code);
  });

  it("is made with the key that the IAM User Guide derives", () => {
    const secret = Buffer.from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    const key = deriveSigningKey(secret, { date: "20150830", region: "us-east-1", service: "iam" });
    expect(key.export().toString("hex")).toBe("c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
  });
});
