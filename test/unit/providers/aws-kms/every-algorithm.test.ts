import * as sdk from "@aws-sdk/client-kms";
import { describe, expect, it, onTestFinished } from "vitest";
import { OFFERED, shapeOf } from "#providers/aws-kms/specs.ts";
import type { AwsKmsFake } from "../../../fakes/aws-kms/fake.ts";
import { makeKey } from "./algorithms.ts";
import { call, faultOfRejected, listed, openPair } from "./open.ts";

/** The vendor's client, for what others do in the account. */
function openStranger(fake: AwsKmsFake): sdk.KMSClient {
  const credentials = { accessKeyId: "AKIASTRANGER", secretAccessKey: "secret" };
  const client = new sdk.KMSClient({ endpoint: fake.endpoint, region: fake.region, credentials });
  onTestFinished(() => {
    client.destroy();
  });
  return client;
}

describe("create", () => {
  it.for(OFFERED)("%s: the key is for it, and is described and listed so", async (algorithm) => {
    const { fake, provider } = await openPair();
    const spec = { algorithm, marker: "m-1", description: "one of ours" };
    const made = await provider.keys.create(spec, call());
    expect(made).toMatchObject({ observed: "enabled", algorithm, marker: "m-1" });
    const { keySpec, keyUsage } = shapeOf(algorithm);
    expect(fake.calls.of("CreateKey")[0]?.input).toMatchObject({ KeySpec: keySpec, KeyUsage: keyUsage });
    expect(fake.calls.of("CreateKey")[0]?.input).not.toHaveProperty("Origin");
    expect({ ...(await provider.describe(made.ref, call())), requestId: made.requestId }).toEqual(made);
    expect(await listed(provider)).toEqual([{ ...made, requestId: expect.any(String) }]);
    expect(await provider.keys.create(spec, call())).toMatchObject({ ref: made.ref, algorithm });
  });

  it("tags keys of RSA with their algorithm, and no others", async () => {
    const { fake, provider } = await openPair();
    for (const algorithm of OFFERED) await makeKey(provider, algorithm);
    for (const [at, algorithm] of OFFERED.entries()) {
      const tags = fake.calls.of("CreateKey")[at]?.input["Tags"] as sdk.Tag[];
      const tagged = tags.filter(({ TagKey }) => TagKey === "claviger:algorithm").map(({ TagValue }) => TagValue);
      expect(tagged).toEqual(algorithm.startsWith("RSA-") ? [algorithm] : []);
    }
  });

  it.for([
    ["RSA-2048-PSS-SHA256", "RSA-2048-PSS-SHA384"],
    ["RSA-2048-OAEP-SHA256", "RSA-2048-OAEP-SHA1"],
    ["RSA-2048-PSS-SHA256", "RSA-2048-OAEP-SHA256"],
    ["EC-P256-SHA256", "ECDH-P256"],
    ["ML-KEM-512", "ML-KEM-768"],
  ] as const)("a marker of a key for %s names none for %s", async ([algorithm, other]) => {
    const { fake, provider } = await openPair();
    const spec = { algorithm, marker: "m-1", description: "" };
    await provider.keys.create(spec, call());
    const creating = provider.keys.create({ ...spec, algorithm: other }, call());
    expect(await faultOfRejected(provider, creating)).toMatchObject({ failure: "INTERNAL" });
    expect(fake.calls.count("CreateKey")).toBe(1);
  });
});

describe("a key of RSA that others made", () => {
  it.for([
    { name: "without tags", tags: [] },
    { name: "with our tag of the algorithm alone", tags: [["claviger:algorithm", "RSA-2048-PSS-SHA256"]] },
    {
      name: "with a tag of an algorithm that it is not for",
      tags: [
        ["claviger:marker", "m-1"],
        ["claviger:algorithm", "RSA-2048-OAEP-SHA256"],
      ],
    },
    {
      name: "with a tag of an algorithm that is none",
      tags: [
        ["claviger:marker", "m-1"],
        ["claviger:algorithm", "toString"],
      ],
    },
  ] as const)("$name is for none of several", async ({ tags }) => {
    const { fake, provider } = await openPair();
    const Tags = tags.map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
    const { KeyMetadata } = await openStranger(fake).send(
      new sdk.CreateKeyCommand({ KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY", Tags }),
    );
    expect(await provider.describe(KeyMetadata?.Arn ?? "", call())).toMatchObject({ algorithm: null });
    expect(await listed(provider)).toMatchObject([{ algorithm: null, marker: null }]);
  });
});

describe("a key of several Regions", () => {
  async function openMultiRegion() {
    const { fake, provider } = await openPair();
    const { KeyMetadata } = await openStranger(fake).send(new sdk.CreateKeyCommand({ MultiRegion: true }));
    return { fake, provider, ref: KeyMetadata?.Arn ?? "" };
  }

  it.for([
    ["PendingReplicaDeletion", "pending-destroy"],
    ["Creating", "unavailable"],
    ["Updating", "unavailable"],
    ["Unavailable", "unavailable"],
  ] as const)("that is %s is %s, without a date", async ([state, observed]) => {
    const { fake, provider, ref } = await openMultiRegion();
    expect(ref).toContain(":key/mrk-");
    fake.forceState(ref, state);
    const seen = { ref, observed, nativeState: state, destroyTime: null, algorithm: "AES-256-OPAQUE" };
    expect(await provider.describe(ref, call())).toMatchObject(seen);
    expect(await listed(provider)).toMatchObject([seen]);
  });

  it("goes on being one key after a rotation on demand", async () => {
    const { fake, provider, ref } = await openMultiRegion();
    const before = await provider.describe(ref, call());
    await openStranger(fake).send(new sdk.RotateKeyOnDemandCommand({ KeyId: ref }));
    expect(await provider.describe(ref, call())).toEqual({ ...before, requestId: expect.any(String) });
  });
});
