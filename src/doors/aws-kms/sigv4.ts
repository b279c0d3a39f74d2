/**
 * AWS Signature Version 4, verified (IAM User Guide, "Create a signed AWS API request"), for the one form that AWS KMS has: `POST /` with an
 * empty query and the signature in the header `Authorization`. What could be read in two ways is refused.
 */
import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from "node:crypto";
import { AwsError } from "./aws-error.ts";

const ALGORITHM = "AWS4-HMAC-SHA256";
const SERVICE = "kms";
/** How far the clock of a client may be off, and for how long a request may be sent again: there is no other guard against replay. */
export const SKEW_MS = 5 * 60_000;

/** A request as it came: names and values of its headers in turn (`rawHeaders` of Node), and its body. */
export type SignedRequest = {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
};

/** Which key signs for what. */
export type Scope = { readonly date: string; readonly region: string; readonly service: string };

/** What a request says of its signature: everything but whether it fits. */
export type SignatureClaim = {
  readonly accessKeyId: string;
  readonly scope: Scope;
  readonly stringToSign: string;
  /** 32 bytes. */
  readonly signature: Buffer;
};

type Bounds = {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly region: string;
  /** Other than `kms` for published vectors. */
  readonly service?: string;
};

/**
 * Reads the signature of a request and makes the string that it must be of.
 *
 * @throws {AwsError} `MissingAuthenticationTokenException`, `IncompleteSignatureException` for another form, `InvalidSignatureException` for
 *   another scope, a clock that is off, headers that are not signed or a body of another digest, `UnrecognizedClientException` for session
 *   tokens
 */
export function readClaim(request: SignedRequest, { now, region, service = SERVICE }: Bounds): SignatureClaim {
  const headers = collectHeaders(request.rawHeaders);
  if (request.url !== "/") throw refusedUrl(request.url);
  const authorization = single(headers, "authorization");
  if (authorization === undefined)
    throw new AwsError("MissingAuthenticationTokenException", "Missing Authentication Token");
  const { accessKeyId, scope, signedHeaders, signature } = readAuthorization(authorization);
  requireScope(scope, { region, service });
  const time = readTime(headers, scope, now);
  requireSigned(headers, signedHeaders);
  if (headers.has("x-amz-security-token")) {
    const sentence =
      "The security token included in the request is invalid. Session tokens are not issued here: sign with an access key alone.";
    throw new AwsError("UnrecognizedClientException", sentence);
  }
  const digest = bodyDigest(headers, request.body);
  const canonical = [
    request.method,
    "/",
    "",
    ...signedHeaders.map((name) => `${name}:${(headers.get(name) ?? []).map(trimmed).join(",")}`),
    "",
    signedHeaders.join(";"),
    digest,
  ].join("\n");
  const { date } = scope;
  const stringToSign = [ALGORITHM, time, `${date}/${region}/${service}/aws4_request`, hash("sha256", canonical)].join(
    "\n",
  );
  return { accessKeyId, scope, stringToSign, signature };
}

/** The key of a day, a region and a service, derived from a secret access key. */
export function deriveSigningKey(secretAccessKey: Uint8Array, { date, region, service }: Scope): KeyObject {
  const first = Buffer.concat([Buffer.from("AWS4"), secretAccessKey]);
  let key: Buffer = first;
  for (const part of [date, region, service, "aws4_request"]) key = createHmac("sha256", key).update(part).digest();
  first.fill(0);
  return createSecretKey(key);
}

/** Whether a signature is the one that the key gives; in constant time. */
export function signatureFits({ stringToSign, signature }: SignatureClaim, signingKey: KeyObject): boolean {
  return timingSafeEqual(createHmac("sha256", signingKey).update(stringToSign).digest(), signature);
}

/** What a client is told whose signature does not fit. */
export function badSignature(): AwsError {
  return new AwsError(
    "InvalidSignatureException",
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
  );
}

type Headers = ReadonlyMap<string, readonly string[]>;

function collectHeaders(rawHeaders: readonly string[]): Headers {
  const headers = new Map<string, string[]>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [rawHeaders[at + 1] ?? ""]);
    else values.push(rawHeaders[at + 1] ?? "");
  }
  return headers;
}

/** Headers that mean something here: of two values one would be signed, and the other obeyed. */
const ONCE = [
  "authorization",
  "host",
  "date",
  "x-amz-date",
  "x-amz-target",
  "x-amz-content-sha256",
  "content-type",
] as const;

/** @throws {AwsError} `IncompleteSignatureException` */
function single(headers: Headers, name: (typeof ONCE)[number]): string | undefined {
  for (const once of ONCE) {
    if ((headers.get(once)?.length ?? 0) > 1) throw incomplete(`Header '${once}' must not be given twice`);
  }
  return headers.get(name)?.[0];
}

const FORM =
  /^AWS4-HMAC-SHA256 +Credential=([A-Za-z0-9]{16,128})\/(\d{8})\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,64})\/aws4_request *, *SignedHeaders=([a-z0-9-]{1,128}(?:;[a-z0-9-]{1,128}){0,63}) *, *Signature=([0-9a-f]{64})$/u;

type Authorization = {
  readonly accessKeyId: string;
  readonly scope: Scope;
  readonly signedHeaders: readonly string[];
  readonly signature: Buffer;
};

function readAuthorization(text: string): Authorization {
  const match = FORM.exec(text);
  if (match === null)
    throw incomplete("Authorization header wants AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…");
  const [, accessKeyId = "", date = "", region = "", service = "", names = "", signature = ""] = match;
  const signedHeaders = names.split(";");
  const isSorted = signedHeaders.every((name, at) => at === 0 || (signedHeaders[at - 1] ?? "") < name);
  if (!isSorted) throw incomplete("SignedHeaders must be sorted, each once");
  return { accessKeyId, scope: { date, region, service }, signedHeaders, signature: Buffer.from(signature, "hex") };
}

function requireScope(scope: Scope, wanted: { readonly region: string; readonly service: string }): void {
  if (scope.region !== wanted.region)
    throw invalid(`Credential should be scoped to a valid region, not '${scope.region}'.`);
  if (scope.service !== wanted.service)
    throw invalid(`Credential should be scoped to correct service: '${wanted.service}'.`);
}

const TIME = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/u;

/** The time of the signature as it is written in `X-Amz-Date`. */
function readTime(headers: Headers, { date }: Scope, now: number): string {
  const text = single(headers, "x-amz-date");
  const match = TIME.exec(text ?? "");
  if (text === undefined || match === null) throw incomplete("X-Amz-Date wants a time such as 20150830T123600Z");
  const [, year, month, day, hour, minute, second] = match;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time)) throw incomplete("X-Amz-Date wants a time such as 20150830T123600Z");
  if (text.slice(0, 8) !== date)
    throw invalid(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}' != '${text.slice(0, 8)}', from '${text}'.`,
    );
  if (time < now - SKEW_MS)
    throw invalid(`Signature expired: ${text} is now earlier than ${basic(now - SKEW_MS)} (${basic(now)} - 5 min.)`);
  if (time > now + SKEW_MS)
    throw invalid(
      `Signature not yet current: ${text} is still later than ${basic(now + SKEW_MS)} (${basic(now)} + 5 min.)`,
    );
  return text;
}

function basic(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replaceAll(/[-:]/gu, "")}Z`;
}

/** `Host` and everything that is AWS's own, and what says how the body is read; else somebody on the way could change it. */
function requireSigned(headers: Headers, signedHeaders: readonly string[]): void {
  const signed = new Set(signedHeaders);
  const wanted = [...headers.keys()].filter((name) => name.startsWith("x-amz-") || name === "content-type");
  for (const name of ["host", ...wanted]) if (!signed.has(name)) throw invalid(`Header '${name}' must be signed.`);
  for (const name of signed) if (!headers.has(name)) throw invalid(`Signed header '${name}' is missing.`);
}

function bodyDigest(headers: Headers, body: Uint8Array): string {
  const digest = hash("sha256", body);
  const told = single(headers, "x-amz-content-sha256");
  if (told !== undefined && told !== digest)
    throw invalid("X-Amz-Content-Sha256 is not the digest of the body; unsigned bodies are not taken.");
  return digest;
}

/** Without the blanks around it, those inside as one. */
function trimmed(value: string): string {
  return value.trim().replaceAll(/\s+/gu, " ");
}

function refusedUrl(url: string): AwsError {
  return /[?&]X-Amz-(?:Algorithm|Credential|Signature)=/iu.test(url)
    ? incomplete("Signatures in the query are not taken: sign the headers")
    : new AwsError("UnknownOperationException", "Requests are sent to / without a query");
}

function incomplete(message: string): AwsError {
  return new AwsError("IncompleteSignatureException", message);
}

function invalid(message: string): AwsError {
  return new AwsError("InvalidSignatureException", message);
}
