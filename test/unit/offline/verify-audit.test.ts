import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { KmsError } from "#core/errors.ts";
import { type AuditVerdict, verifyAuditOffline } from "#offline/verify-audit.ts";
import { auditEvent, TrailFixture } from "../../unit/audit/trail-fixture.ts";

async function writtenTrail(): Promise<TrailFixture> {
  const fixture = new TrailFixture();
  await using trail = fixture.open();
  for (let i = 0; i < 3; i += 1) await trail.append(auditEvent());
  return fixture;
}

function publicKeyFile(fixture: TrailFixture, path: string, key = fixture.signingKey): string {
  writeFileSync(path, createPublicKey(key).export({ format: "pem", type: "spki" }));
  return path;
}

const verify = async (fixture: TrailFixture, ...publicKeys: string[]): Promise<AuditVerdict> =>
  await verifyAuditOffline({ folder: fixture.folder, publicKeys, anchors: [] });
const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  await promise.then(
    () => "done",
    (error: unknown) => (error instanceof KmsError ? error.code : String(error)),
  );

it("a trail as it was written is whole under the key that was given", async () => {
  using fixture = await writtenTrail();
  const key = publicKeyFile(fixture, join(fixture.root, "key.pem"));
  expect(await verify(fixture, key)).toMatchObject({ ok: true, keysFrom: "given", findings: [] });
});

it("a key in the folder serves where none is given, and the verdict says so", async () => {
  using fixture = await writtenTrail();
  publicKeyFile(fixture, join(fixture.folder, "signing-key.pem"));
  expect(await verify(fixture)).toMatchObject({ ok: true, keysFrom: "folder" });
});

it("a key that is given counts, and not the folder's", async () => {
  using fixture = await writtenTrail();
  publicKeyFile(fixture, join(fixture.folder, "signing-key.pem"));
  const other = publicKeyFile(fixture, join(fixture.root, "other.pem"), generateKeyPairSync("ed25519").privateKey);
  expect((await verify(fixture, other)).ok).toBe(false);
});

it("a trail that was edited is not whole", async () => {
  using fixture = await writtenTrail();
  const key = publicKeyFile(fixture, join(fixture.root, "key.pem"));
  const file = join(fixture.folder, fixture.files()[0] ?? "");
  await writeFile(file, (await readFile(file, "utf8")).replace('"operation":"encrypt"', '"operation":"decrypt"'));
  expect(await verify(fixture, key)).toMatchObject({ ok: false, findings: [{ kind: "edited" }] });
});

it("without any key nothing is said to be whole", async () => {
  using fixture = await writtenTrail();
  expect(await codeOf(verify(fixture))).toBe("INVALID_ARGUMENT");
});

it("what is no Ed25519 public key, or not there, is refused", async () => {
  using fixture = await writtenTrail();
  const file = join(fixture.root, "not-a-key.pem");
  writeFileSync(file, "hello");
  expect(await codeOf(verify(fixture, file))).toBe("INVALID_ARGUMENT");
  publicKeyFile(fixture, file, generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
  expect(await codeOf(verify(fixture, file))).toBe("INVALID_ARGUMENT");
  expect(await codeOf(verify(fixture, join(fixture.root, "nothing.pem")))).toBe("INVALID_ARGUMENT");
  expect(await codeOf(verifyAuditOffline({ folder: join(fixture.root, "nothing"), publicKeys: [], anchors: [] }))).toBe(
    "INVALID_ARGUMENT",
  );
});
