import type { IncomingMessage } from "node:http";
import { KmsError } from "#core/errors.ts";
import type { Method } from "./route.ts";

type Bounds = { readonly method: Method; readonly maxBodyBytes: number; readonly consumes: string | undefined };

/**
 * Reads the body within its bound. An empty one needs no content type.
 * @throws {KmsError} `BODY_TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE`, `INVALID_ARGUMENT` if the caller breaks off
 */
export async function readBody(request: IncomingMessage, bounds: Bounds): Promise<Buffer> {
  const declared = request.headers["content-length"];
  if (declared !== undefined && Number(declared) > bounds.maxBodyBytes) throw tooLarge(bounds.maxBodyBytes);
  if (declared === "0" || (declared === undefined && request.headers["transfer-encoding"] === undefined)) return EMPTY;
  const isType = isAccepted(request.headers["content-type"], bounds);
  if (!isType && declared !== undefined) throw unsupported(bounds);
  const body = await collect(request, bounds); // of unknown length: it may be too large, or empty, before its type counts
  if (!isType && body.length > 0) throw unsupported(bounds);
  return body;
}

const EMPTY = Buffer.alloc(0);

function collect(request: IncomingMessage, { maxBodyBytes }: Bounds): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBodyBytes) chunks.push(chunk);
      else reject(tooLarge(maxBodyBytes));
    });
    request.on("end", () => {
      const [first] = chunks;
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks));
    });
    request.on("error", (cause) => {
      reject(new KmsError("INVALID_ARGUMENT", "the body broke off", { cause }));
    });
  });
}

const CHARSET = /^;\s*charset\s*=\s*"?utf-8"?\s*$/iu;

function isAccepted(type: string | undefined, { method, consumes }: Bounds): boolean {
  if (type === "application/json" && consumes === undefined) return true;
  if (type === undefined) return false;
  const semicolon = type.indexOf(";");
  const media = (semicolon < 0 ? type : type.slice(0, semicolon)).trim().toLowerCase();
  if (semicolon >= 0 && !CHARSET.test(type.slice(semicolon))) return false;
  if (consumes !== undefined) return media === consumes;
  return media === "application/json" || (method === "PATCH" && media === "application/merge-patch+json");
}

function tooLarge(maxBodyBytes: number): KmsError {
  return new KmsError("BODY_TOO_LARGE", `body: wanted at most ${maxBodyBytes} bytes`, {
    metadata: { maxBodyBytes: String(maxBodyBytes) },
  });
}

function unsupported({ method, consumes }: Bounds): KmsError {
  const wanted =
    consumes ?? (method === "PATCH" ? "application/json or application/merge-patch+json" : "application/json");
  return new KmsError("UNSUPPORTED_MEDIA_TYPE", `content-type: wanted ${wanted}`, { metadata: { wanted } });
}
