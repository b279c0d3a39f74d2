import { describe, expect, it } from "vitest";
import { awsKms } from "#providers/aws-kms/index.ts";
import { Secret } from "#core/secret.ts";
import { openAwsKmsFake } from "../../../fakes/aws-kms/fake.ts";
import { ManualTime } from "../../../conformance/manual-time.ts";

const call = { signal: new AbortController().signal, requestId: "req" };

describe("multi-Region keys", () => {
  it.for([true, false])("are made where the options ask for them: %s", async (multiRegion) => {
    await using fake = await openAwsKmsFake();
    const data = { accessKeyId: "test", secretAccessKey: new Secret("test") };
    const options = { region: fake.region, endpoint: fake.endpoint, credentials: { data }, multiRegion };
    const { sources } = new ManualTime();
    await using provider = await awsKms.open({ name: "aws", options, dataFolder: "/nowhere", sources });
    const made = await provider.keys.create({ algorithm: "ED25519", marker: "one", description: "" }, call);
    expect(made.ref.includes(":key/mrk-")).toBe(multiRegion);
    expect((await provider.keys.create({ algorithm: "ED25519", marker: "one", description: "" }, call)).ref).toBe(
      made.ref,
    );
  });

  it("are an option that is true or false", () => {
    expect(awsKms.parseOptions({ region: "eu-west-1", multiRegion: true })).toMatchObject({ ok: true });
    expect(awsKms.parseOptions({ region: "eu-west-1", multiRegion: "yes" })).toMatchObject({
      ok: false,
      problems: [{ path: ["multiRegion"], message: "wanted true or false" }],
    });
  });
});
