import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { AwsFailure } from "./failure.ts";

export type Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** If set, requests must carry it. */
  readonly sessionToken?: string;
};

export type SignedRequest = {
  readonly method: string;
  readonly path: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
};

export type Verifier = {
  /** Undefined: any signature passes, but there must be one. */
  readonly credentials: readonly Credentials[] | undefined;
  readonly region: string;
  readonly nowMs: number;
};

const SKEW_MS = 5 * 60_000;

/** Checks a request's AWS Signature Version 4 for the service `kms`; returns the access key that signed. */
export const verifySignature = (request: SignedRequest, verifier: Verifier): string => {
  const headers = groupHeaders(request.rawHeaders);
  const authorization = headers.get("authorization")?.[0];
  if (authorization === undefined) {
    throw new AwsFailure("MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  const signed = parseAuthorization(authorization);
  if (verifier.credentials === undefined) return signed.accessKeyId;
  const credentials = verifier.credentials.find(({ accessKeyId }) => accessKeyId === signed.accessKeyId);
  const token = headers.get("x-amz-security-token")?.[0];
  if (credentials === undefined || credentials.sessionToken !== token) {
    throw new AwsFailure("UnrecognizedClientException", "The security token included in the request is invalid.");
  }
  const time = readTime(headers.get("x-amz-date")?.[0]);
  checkScope(signed, { time, region: verifier.region });
  const expected = sign(request, { headers, signed, time, secret: credentials.secretAccessKey });
  if (!sameText(expected, signed.signature)) throw mismatch();
  checkTime(time, verifier.nowMs);
  return signed.accessKeyId;
};

type Headers = ReadonlyMap<string, readonly string[]>;
type Authorization = {
  readonly accessKeyId: string;
  readonly scope: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
};

const groupHeaders = (raw: readonly string[]): Headers => {
  const headers = new Map<string, string[]>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? "").toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), raw[at + 1] ?? ""]);
  }
  return headers;
};

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/([^,]+),\s*SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})$/;

const parseAuthorization = (header: string): Authorization => {
  const [, accessKeyId, scope, names, signature] = AUTHORIZATION.exec(header) ?? [];
  if (accessKeyId === undefined || scope === undefined || names === undefined || signature === undefined) {
    throw new AwsFailure("IncompleteSignatureException", "The request signature does not conform to AWS standards.");
  }
  const signedHeaders = names.split(";");
  if (!signedHeaders.includes("host") || !signedHeaders.includes("x-amz-date")) {
    throw new AwsFailure("InvalidSignatureException", "'Host' and 'X-Amz-Date' must be signed headers");
  }
  return { accessKeyId, scope, signedHeaders, signature };
};

type Time = { readonly text: string; readonly epochMs: number };

const readTime = (text = ""): Time => {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text)?.slice(1);
  const [year = "", month, day, hour, minute, second] = parts ?? [];
  const epochMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(epochMs)) {
    throw new AwsFailure("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'.");
  }
  return { text, epochMs };
};

const checkScope = (
  { scope }: Authorization,
  { time, region }: { readonly time: Time; readonly region: string },
): void => {
  if (scope === `${time.text.slice(0, 8)}/${region}/kms/aws4_request`) return;
  throw new AwsFailure(
    "InvalidSignatureException",
    `Credential should be scoped to a valid region: ${region}, service: kms`,
  );
};

const checkTime = ({ text, epochMs }: Time, nowMs: number): void => {
  if (nowMs - epochMs > SKEW_MS) throw new AwsFailure("InvalidSignatureException", `Signature expired: ${text}`);
  if (epochMs - nowMs > SKEW_MS)
    throw new AwsFailure("InvalidSignatureException", `Signature not yet current: ${text}`);
};

const sign = (
  { method, path, body }: SignedRequest,
  use: { readonly headers: Headers; readonly signed: Authorization; readonly time: Time; readonly secret: string },
): string => {
  const { headers, signed } = use;
  const bodyHash = sha256(body);
  const claimed = headers.get("x-amz-content-sha256")?.[0];
  if (claimed !== undefined && claimed !== bodyHash) throw mismatch(); // UNSIGNED-PAYLOAD included
  const lines = signed.signedHeaders.map((name) => `${name}:${(headers.get(name) ?? []).map(collapse).join(",")}\n`);
  const canonical = [method, path, "", lines.join(""), signed.signedHeaders.join(";"), bodyHash].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", use.time.text, signed.scope, sha256(canonical)].join("\n");
  const key = signed.scope.split("/").reduce<string | Buffer>((each, part) => hmac(each, part), `AWS4${use.secret}`);
  return hmac(key, toSign).toString("hex");
};

const collapse = (value: string): string => value.trim().replaceAll(/ +/g, " ");
const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, data: string): Buffer => createHmac("sha256", key).update(data, "utf8").digest();
const sameText = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

const mismatch = (): AwsFailure =>
  new AwsFailure(
    "InvalidSignatureException",
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
  );
