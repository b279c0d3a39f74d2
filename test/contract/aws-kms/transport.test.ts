import { createHash, createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type AwsKmsFakeOptions, openAwsKmsFake } from "../../fakes/aws-kms/fake.ts";
import { selfSigned } from "./self-signed.ts";
import { createClient, expectFailure, onFake } from "./subject.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "example" };

describe.runIf(onFake)("signatures of requests to the AWS KMS fake", () => {
  const accepts = async (
    options: AwsKmsFakeOptions,
    client: Parameters<typeof createClient>[1] = {},
  ): Promise<void> => {
    await using fake = await openAwsKmsFake(options);
    const kms = createClient(fake.endpoint, client);
    try {
      await kms.createKey({ Description: "ünïcode  and  spaces" });
    } finally {
      kms.destroy();
    }
  };

  it("a request signed with the right secret passes", async () => {
    await accepts({ credentials: [credentials] });
  });

  it("without credentials in the fake any signature passes", async () => {
    await accepts({}, { credentials: { accessKeyId: "AKIDOTHER", secretAccessKey: "other" } });
  });

  it("a wrong secret is an invalid signature", async () => {
    const wrong = { ...credentials, secretAccessKey: "wrong" };
    await expectFailure(accepts({ credentials: [credentials] }, { credentials: wrong }), "InvalidSignatureException");
  });

  it("an unknown access key is an unrecognized client", async () => {
    const unknown = { ...credentials, accessKeyId: "AKIDUNKNOWN" };
    await expectFailure(
      accepts({ credentials: [credentials] }, { credentials: unknown }),
      "UnrecognizedClientException",
      "The security token included in the request is invalid.",
    );
  });

  it("a session token is part of the credentials", async () => {
    const session = { ...credentials, sessionToken: "token" };
    await accepts({ credentials: [session] }, { credentials: session });
    const call = accepts({ credentials: [session] }, { credentials });
    await expectFailure(call, "UnrecognizedClientException");
  });

  it("a signature for another Region is invalid", async () => {
    const call = accepts({ credentials: [credentials] }, { region: "eu-central-1" });
    await expectFailure(call, "InvalidSignatureException");
  });

  it("credentials can be changed while it runs", async () => {
    await using fake = await openAwsKmsFake();
    const kms = createClient(fake.endpoint);
    await kms.listKeys({});
    fake.credentials = [{ ...credentials, secretAccessKey: "rotated" }];
    await expectFailure(kms.listKeys({}), "InvalidSignatureException");
    kms.destroy();
  });

  it("a clock that is off is refused once: the SDK learns the time from the answer", async () => {
    await using fake = await openAwsKmsFake({ credentials: [credentials] });
    fake.clockSkewMs = 3_600_000;
    const kms = createClient(fake.endpoint);
    await expectFailure(kms.listKeys({}), "InvalidSignatureException");
    await kms.listKeys({});
    kms.destroy();
  });

  it("the clock of its dates is not that of its signatures", async () => {
    await using fake = await openAwsKmsFake({ credentials: [credentials] });
    fake.advance(30 * 86_400_000);
    const kms = createClient(fake.endpoint);
    await kms.listKeys({});
    kms.destroy();
  });
});

describe.runIf(onFake)("signatures that the SDK does not make", () => {
  const hash = (data: string): string => createHash("sha256").update(data).digest("hex");
  const body = "{}";

  /** Signs as botocore does, which sends no hash of the body: SigV4, "Create a signed request". */
  const post = async (more: Readonly<Record<string, string>>, canonicalMore = more): Promise<unknown> => {
    await using fake = await openAwsKmsFake({ credentials: [credentials] });
    const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const scope = [time.slice(0, 8), "us-east-1", "kms", "aws4_request"];
    const base = { host: new URL(fake.endpoint).host, "x-amz-date": time, "x-amz-target": "TrentService.ListKeys" };
    const lines = Object.entries({ ...base, ...canonicalMore }).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const names = lines.map(([name]) => name).join(";");
    const headerLines = lines.map(([name, value]) => `${name}:${value}\n`).join("");
    const canonical = ["POST", "/", "", headerLines, names, hash(body)].join("\n");
    const toSign = ["AWS4-HMAC-SHA256", time, scope.join("/"), hash(canonical)].join("\n");
    let key = Buffer.from(`AWS4${credentials.secretAccessKey}`);
    for (const part of scope) key = createHmac("sha256", key).update(part).digest();
    const signature = createHmac("sha256", key).update(toSign).digest("hex");
    const credential = `Credential=${credentials.accessKeyId}/${scope.join("/")}`;
    const authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${signature}`;
    const response = await fetch(fake.endpoint, { method: "POST", headers: { ...base, ...more, authorization }, body });
    const answer: unknown = await response.json();
    return answer;
  };

  it("a request without a header for the hash of its body passes", async () => {
    expect(await post({})).toStrictEqual({ Keys: [], Truncated: false });
  });

  it("runs of spaces in a header count as one", async () => {
    const answer = await post({ "x-amz-note": "a   b  c" }, { "x-amz-note": "a b c" });
    expect(answer).toStrictEqual({ Keys: [], Truncated: false });
  });

  it("an unsigned payload is refused", async () => {
    const answer = await post({ "x-amz-content-sha256": "UNSIGNED-PAYLOAD" });
    expect(answer).toHaveProperty("__type", "InvalidSignatureException");
  });
});

describe.runIf(onFake)("the wire of the AWS KMS fake", () => {
  type Wire = { readonly headers?: Readonly<Record<string, string>>; readonly body?: string };
  const authorization = `AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/kms/aws4_request, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`;
  const target = "TrentService.ListKeys";
  const post = async ({ headers = {}, body = "{}" }: Wire): Promise<Response> => {
    await using fake = await openAwsKmsFake();
    const common = { authorization, "x-amz-target": target, "content-type": "application/x-amz-json-1.1" };
    const all = new Headers({ ...common, ...headers });
    if (headers["authorization"] === "") all.delete("authorization");
    const response = await fetch(fake.endpoint, { method: "POST", headers: all, body });
    return new Response(await response.text(), response);
  };
  const typeOf = async (wire: Wire): Promise<unknown> => {
    const response = await post(wire);
    expect(response.status).toBe(400);
    const body: unknown = await response.json();
    return body;
  };

  it("answers carry the content type of AWS JSON 1.1 and a request id", async () => {
    const response = await post({});
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/x-amz-json-1.1");
    expect(response.headers.get("x-amzn-requestid")).toMatch(/^[0-9a-f-]{36}$/);
    expect(await response.json()).toStrictEqual({ Keys: [], Truncated: false });
  });

  it("an unsigned request misses its authentication", async () => {
    const body = await typeOf({ headers: { authorization: "" } });
    expect(body).toHaveProperty("__type", "MissingAuthenticationTokenException");
  });

  it("an authorization of another kind is incomplete", async () => {
    const body = await typeOf({ headers: { authorization: "Bearer x" } });
    expect(body).toHaveProperty("__type", "IncompleteSignatureException");
  });

  it("an operation that is not there is unknown", async () => {
    for (const name of ["TrentService.NoSuchThing", "TrentService.toString", "Other.ListKeys"]) {
      const body = await typeOf({ headers: { "x-amz-target": name } });
      expect(body).toStrictEqual({ __type: "UnknownOperationException" });
    }
  });

  it("a body that is no JSON object, or has a member of another type, cannot be read", async () => {
    for (const body of ["", "[]", "{", '{"Limit":"1"}']) {
      expect(await typeOf({ body })).toHaveProperty("__type", "SerializationException");
    }
    const headers = { "x-amz-target": "TrentService.Decrypt" };
    const noBase64 = await typeOf({ headers, body: '{"CiphertextBlob":"no base64"}' });
    expect(noBase64).toHaveProperty("__type", "SerializationException");
  });

  it("timestamps are seconds as numbers", async () => {
    const response = await post({ headers: { "x-amz-target": "TrentService.CreateKey" } });
    expect(await response.json()).toHaveProperty("KeyMetadata.CreationDate", expect.closeTo(Date.now() / 1000, -2));
  });

  it("it serves HTTPS with a given certificate", async () => {
    const tls = selfSigned();
    await using fake = await openAwsKmsFake({ tls });
    expect(fake.endpoint).toMatch(/^https:/);
    const trusting = createClient(fake.endpoint, { requestHandler: { httpsAgent: { ca: tls.cert } } });
    expect((await trusting.listKeys({})).Keys).toStrictEqual([]);
    const other = createClient(fake.endpoint);
    await expect(other.listKeys({})).rejects.toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    trusting.destroy();
    other.destroy();
  });
});
