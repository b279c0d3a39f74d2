import { beforeEach, describe, expect, it } from "vitest";
import {
  bytes,
  createKey,
  createRing,
  expectFailure,
  failureOf,
  once,
  onePage,
  openSubject,
  SYMMETRIC,
} from "./subject.ts";

const { fake, kms } = await openSubject({ clock: { now: () => Date.UTC(2026, 0, 1) } });
const plaintext = Buffer.from("attack at dawn");
const DAY_MS = 86_400_000;

beforeEach(async () => {
  fake.reset();
  await createRing(kms);
});

const setState = async (name: string, state: "ENABLED" | "DISABLED"): Promise<unknown> =>
  (await kms.updateCryptoKeyVersion({ cryptoKeyVersion: { name, state }, updateMask: { paths: ["state"] } }, once))[0];
const stateOf = async (name: string): Promise<unknown> => (await kms.getCryptoKeyVersion({ name }, once))[0].state;

describe("states of a version in Cloud KMS", () => {
  it("a disabled one does nothing, and says so in the details, until it is enabled", async () => {
    const { name, version } = await createKey(kms, SYMMETRIC);
    const [sealed] = await kms.encrypt({ name, plaintext }, once);
    const ciphertext = bytes(sealed.ciphertext);
    expect(await setState(version, "DISABLED")).toMatchObject({ state: "DISABLED" });
    const error = await failureOf(kms.decrypt({ name, ciphertext }, once));
    expect(error).toMatchObject({ code: 9, details: `${version} is not enabled, current state is: DISABLED.` });
    expect(error.statusDetails?.[0]).toMatchObject({ violations: [{ type: "KEY_DISABLED", subject: version }] });
    await expectFailure(kms.encrypt({ name, plaintext }, once), 9);
    await setState(version, "ENABLED");
    await kms.decrypt({ name, ciphertext }, once);
  });

  it("a destruction is scheduled, can be taken back, and lands in DISABLED", async () => {
    const { version: name } = await createKey(kms, SYMMETRIC);
    const [scheduled] = await kms.destroyCryptoKeyVersion({ name }, once);
    expect(scheduled.state).toBe("DESTROY_SCHEDULED");
    expect(Number(scheduled.destroyTime?.seconds) * 1000).toBe(Date.UTC(2026, 0, 31));
    await expectFailure(setState(name, "ENABLED"), 9);
    await expectFailure(kms.destroyCryptoKeyVersion({ name }, once), 9);
    const [restored] = await kms.restoreCryptoKeyVersion({ name }, once);
    expect(restored).toMatchObject({ state: "DISABLED", destroyTime: null });
    await expectFailure(kms.restoreCryptoKeyVersion({ name }, once), 9);
  });

  it("is DESTROYED at its date, not before, and for good", async () => {
    const seconds = 86_400;
    const { name, version } = await createKey(kms, SYMMETRIC, { destroyScheduledDuration: { seconds } });
    const [sealed] = await kms.encrypt({ name, plaintext }, once);
    await kms.destroyCryptoKeyVersion({ name: version }, once);
    fake.advance(DAY_MS - 1);
    expect(await stateOf(version)).toBe("DESTROY_SCHEDULED");
    fake.advance(1);
    const [destroyed] = await kms.getCryptoKeyVersion({ name: version }, once);
    expect(destroyed).toMatchObject({ state: "DESTROYED", destroyTime: null, reimportEligible: false });
    expect(Number(destroyed.destroyEventTime?.seconds) * 1000).toBe(Date.UTC(2026, 0, 2));
    await expectFailure(kms.restoreCryptoKeyVersion({ name: version }, once), 9);
    await expectFailure(kms.decrypt({ name, ciphertext: bytes(sealed.ciphertext) }, once), 9);
  });

  it("cryptography sees a disabled version and a new primary late, and an enabled one at once", async () => {
    const { name, version } = await createKey(kms, SYMMETRIC);
    fake.propagationMs = 60_000;
    await setState(version, "DISABLED");
    expect(await stateOf(version)).toBe("DISABLED");
    await kms.encrypt({ name, plaintext }, once);
    fake.advance(60_000);
    await expectFailure(kms.encrypt({ name, plaintext }, once), 9);
    await setState(version, "ENABLED");
    await kms.createCryptoKeyVersion({ parent: name, cryptoKeyVersion: {} }, once);
    await kms.updateCryptoKeyPrimaryVersion({ name, cryptoKeyVersionId: "2" }, once);
    expect((await kms.encrypt({ name, plaintext }, once))[0].name).toBe(version);
    fake.advance(60_000);
    expect((await kms.encrypt({ name, plaintext }, once))[0].name).toBe(`${name}/cryptoKeyVersions/2`);
  });

  it("an asymmetric one may be PENDING_GENERATION for a while", async () => {
    fake.generationMs = 5_000;
    const { version: name } = await createKey(kms, ["ASYMMETRIC_SIGN", "EC_SIGN_P256_SHA256"]);
    await expectFailure(
      kms.getPublicKey({ name }, once),
      9,
      `${name} is not enabled, current state is: PENDING_GENERATION.`,
    );
    await expectFailure(setState(name, "DISABLED"), 9);
    fake.advance(5_000);
    expect(await stateOf(name)).toBe("ENABLED");
    expect((await kms.getPublicKey({ name }, once))[0].pem).toContain("BEGIN PUBLIC KEY");
  });

  it("may be put where no call leads", async () => {
    const { version: name } = await createKey(kms, SYMMETRIC);
    fake.forceState(name, "GENERATION_FAILED");
    expect(await stateOf(name)).toBe("GENERATION_FAILED");
  });

  it("versions are listed by state, a page at a time", async () => {
    const { name: parent, version } = await createKey(kms, SYMMETRIC);
    for (const state of ["ENABLED", "DISABLED"] as const) {
      await kms.createCryptoKeyVersion({ parent, cryptoKeyVersion: { state } }, once);
    }
    await setState(version, "DISABLED");
    const [found] = await kms.listCryptoKeyVersions({ parent, filter: "state=DISABLED" }, onePage);
    expect(found.map(({ name }) => name?.at(-1))).toStrictEqual(["1", "3"]);
    const [first, next, answer] = await kms.listCryptoKeyVersions({ parent, pageSize: 1 }, onePage);
    expect([first.length, answer.totalSize, next === null]).toStrictEqual([1, 3, false]);
  });

  it("rotation makes a new primary at its date", async () => {
    const { name } = await createKey(kms, SYMMETRIC, {
      rotationPeriod: { seconds: 86_400 },
      nextRotationTime: { seconds: Date.UTC(2026, 0, 2) / 1000 },
    });
    fake.advance(DAY_MS);
    const [key] = await kms.getCryptoKey({ name }, once);
    expect(key.primary?.name).toBe(`${name}/cryptoKeyVersions/2`);
    expect(Number(key.nextRotationTime?.seconds) * 1000).toBe(Date.UTC(2026, 0, 3));
  });
});
