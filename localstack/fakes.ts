import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient, createRing, RING, TOKEN } from "../test/contract/gcp-kms/subject.ts";
import { openAzureKeyVaultFake } from "../test/fakes/azure-key-vault/fake.ts";
import { openGcpKmsFake } from "../test/fakes/gcp-kms/fake.ts";

export type Fakes = AsyncDisposable & {
  /** What a configuration says of each, one line of YAML. */
  readonly lines: readonly string[];
};

/**
 * The project's own stand-ins, for services of which no emulator can be had without Docker. They run in this process, forget everything, and
 * take one fixed token each.
 */
export async function openFakes(home: string): Promise<Fakes> {
  const folder = join(home, "fakes");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await using opened = new AsyncDisposableStack();
  const azure = await openAzureKeyVaultFake();
  opened.defer(async () => {
    await azure.stop();
  });
  const gcp = opened.use(await openGcpKmsFake({ tokens: [TOKEN] }));
  const ca = { azure: join(folder, "azure.pem"), gcp: join(folder, "gcp.pem") };
  await writeFile(ca.azure, azure.ca);
  await writeFile(ca.gcp, gcp.ca ?? "");
  const kms = createClient(gcp);
  await createRing(kms);
  await kms.close();
  const { token } = await azure.credential.getToken();
  const lines = [
    `azure: { kind: azure-key-vault, vault: "${azure.vaultUrl}", ca: ${ca.azure}, credentials: { data: { token: "${token}" } } }`,
    `gcp: { kind: gcp-kms, keyRing: ${RING}, endpoint: "https://localhost:${gcp.port}", ca: ${ca.gcp}, credentials: { data: { token: ${TOKEN} } } }`,
  ];
  const stack = opened.move();
  return {
    lines,
    [Symbol.asyncDispose]: async () => {
      await stack.disposeAsync();
    },
  };
}
