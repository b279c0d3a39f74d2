/**
 * The floor: what Express 5 over TLS costs by itself for a request that reads JSON, does one AES-256-GCM (or one signature) and answers JSON. A
 * process of its own.
 * Writes one line, the port and the certificate's authority as JSON, and serves until it is told to stop.
 */
import { createCipheriv, randomBytes } from "node:crypto";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import express from "express";
import { addAws } from "./floor-aws.ts";
import { addSigning } from "./floor-signing.ts";
import { createLocalAuthority, issueServerCertificate } from "#http/local-authority.ts";

const key = randomBytes(32);
const app = express();
app.disable("x-powered-by");
app.disable("etag"); // as the gateway, which has none on its answers
app.use(express.json());
app.post("/encrypt", (request: { readonly body: { readonly plaintext: string } }, response) => {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  const sealed = Buffer.concat([
    iv,
    cipher.update(Buffer.from(request.body.plaintext, "base64")),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  response.json({ ciphertext: sealed.toString("base64") });
});

addSigning(app);
const { aws } = parseArgs({ options: { aws: { type: "string" } } }).values;
if (aws !== undefined) await addAws(app, aws);

const now = Date.now();
const authority = await createLocalAuthority(now);
const { certificate, key: tlsKey } = await issueServerCertificate(authority, { host: "127.0.0.1", now });
const server = createServer({ cert: certificate, key: tlsKey, minVersion: "TLSv1.2", noDelay: true }, app);
server.keepAliveTimeout = 65_000; // as the gateway
server.listen({ host: "127.0.0.1", port: 0 }, () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ port, ca: authority.certificate })}\n`);
});
process.once("SIGTERM", () => {
  server.closeAllConnections();
  server.close();
});
