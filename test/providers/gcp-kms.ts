import { randomBytes } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sources } from "#core/clock.ts";
import type { Provider } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { Secret } from "#core/secret.ts";
import { gcpKms } from "#providers/gcp-kms/index.ts";
import { createClient, createKey, RING, TOKEN } from "../contract/gcp-kms/subject.ts";
import type { GcpKmsFake } from "../fakes/gcp-kms/fake.ts";

/** A version that no key ring has. */
export const UNKNOWN_REF = `${RING}/cryptoKeys/none/cryptoKeyVersions/1`;

/** The adapter before the fake, with its options as a configuration would have them. */
export async function openAt(
  fake: Pick<GcpKmsFake, "port" | "ca">,
  {
    protectionLevel = "SOFTWARE",
    token = TOKEN,
  }: { readonly protectionLevel?: "SOFTWARE" | "HSM"; readonly token?: string } = {},
): Promise<Provider> {
  const options = {
    keyRing: RING,
    protectionLevel,
    endpoint: `https://localhost:${fake.port}`,
    ca: certificatesOf(fake),
    credentials: { data: { token: new Secret(token) } },
  };
  return await gcpKms.open({ name: "gcp", options, dataFolder: "/nowhere", sources: SOURCES });
}

/** A version in the key ring that Claviger did not make. */
export async function makeForeignKey(fake: GcpKmsFake): Promise<NativeRef> {
  const kms = createClient(fake);
  try {
    const { version } = await createKey(kms, ["ASYMMETRIC_SIGN", "EC_SIGN_P256_SHA256"]);
    return version;
  } finally {
    await kms.close();
  }
}

function certificatesOf({ ca }: Pick<GcpKmsFake, "ca">): string {
  const path = join(mkdtempSync(join(tmpdir(), "gcp-kms-")), "ca.pem");
  writeFileSync(path, ca ?? "");
  return path;
}

const SOURCES: Sources = {
  clock: { now: () => Date.now(), monotonicMs: () => performance.now() },
  random: { bytes: (length) => randomBytes(length), kernelBytes: (length) => randomBytes(length) },
  scheduler: {
    after: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      return {
        [Symbol.dispose]: () => {
          clearTimeout(timer);
        },
      };
    },
  },
};
