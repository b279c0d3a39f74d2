import { CryptographyClient, KeyClient, type KeyVaultKey } from "@azure/keyvault-keys";
import { type AzureKeyVaultFakeOptions, openAzureKeyVaultFake } from "../../fakes/azure-key-vault/fake.ts";

/** The fake with Microsoft's clients on it, which try once. */
export const openSubject = async (options: AzureKeyVaultFakeOptions = {}) => {
  const fake = await openAzureKeyVaultFake(options);
  const clientOptions = {
    disableChallengeResourceVerification: true,
    tlsOptions: { ca: fake.ca },
    retryOptions: { maxRetries: 0 },
  };
  return {
    fake,
    keys: new KeyClient(fake.vaultUrl, fake.credential, clientOptions),
    /** A client that has no token yet. */
    fresh: () => new KeyClient(fake.vaultUrl, fake.credential, clientOptions),
    /** A client that was given no key material, and so can do nothing by itself. */
    remote: (id: string | undefined) =>
      new CryptographyClient(
        { id: id ?? "", name: "", properties: {} } as unknown as KeyVaultKey,
        fake.credential,
        clientOptions,
      ),
    /** A client that was given a key or its identifier. */
    holding: (key: string | KeyVaultKey) => new CryptographyClient(key, fake.credential, clientOptions),
    [Symbol.asyncDispose]: async () => await fake.stop(),
  };
};

/** What a rejected call says: status, code, inner code. */
export const failureOf = async (call: Promise<unknown>): Promise<readonly unknown[]> => {
  try {
    await call;
    return ["no failure"];
  } catch (error) {
    const { statusCode, code, details } = error as {
      statusCode?: number;
      code?: string;
      details?: { error?: { innerError?: { code?: string } } };
    };
    return [statusCode, code, details?.error?.innerError?.code];
  }
};

export const collect = async <T>(items: AsyncIterable<T>): Promise<readonly T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};
