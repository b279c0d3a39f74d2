import { join } from "node:path";
import { ProviderError } from "#core/failures.ts";
import type { Capabilities, OpenProviderOptions, Provider, ProviderKind } from "#core/provider.ts";
import { unsafeRevealSecret } from "#core/secret.ts";
import { hasPublicKey } from "#core/algorithms.ts";
import { pkcs11Agreement } from "./agreement.ts";
import { pkcs11Canary } from "./canary.ts";
import { capabilitiesOf } from "./capabilities.ts";
import { pkcs11Cipher } from "./cipher.ts";
import { classifyPkcs11, isPinRefused, Pkcs11Error } from "./errors.ts";
import { pkcs11Keys } from "./keys.ts";
import { pkcs11Mac } from "./mac.ts";
import { pkcs11MaterialWrapper } from "./material-wrapper.ts";
import { pkcs11Observer } from "./observer.ts";
import { parsePkcs11Options, type Pkcs11Options } from "./options.ts";
import { PinMemory } from "./pin-memory.ts";
import { pkcs11PublicKeys } from "./public-keys.ts";
import { pkcs11Random } from "./random-source.ts";
import { pkcs11Signer } from "./signer.ts";
import { workerStarter } from "./start-worker.ts";
import type { Tools } from "./tools.ts";
import type { TokenFacts } from "./wire.ts";
import { WorkerPool } from "./worker-pool.ts";
import { pkcs11Wrapper } from "./wrapper.ts";

const KIND = "pkcs11";

/** A token of any vendor's PKCS #11 module, loaded in processes of its own. */
export const pkcs11: ProviderKind<Pkcs11Options> = { kind: KIND, parseOptions: parsePkcs11Options, open };

async function open(input: OpenProviderOptions<Pkcs11Options>): Promise<Provider> {
  const { options, sources } = input;
  const { module, token } = options;
  const pin = unsafeRevealSecret(options.pin);
  const memory = new PinMemory(
    join(input.dataFolder, `${input.name}.pin-refused`),
    JSON.stringify([module, token, pin]),
  );
  const pool = new WorkerPool({
    start: workerStarter(options.environment),
    size: options.workers,
    stuckMs: options.stuckMs,
    scheduler: sources.scheduler,
    open: async () => {
      await memory.require();
      return { module, token, pin };
    },
    opened: async (error) => {
      if (isPinRefused(error) && error instanceof Pkcs11Error) await memory.note(error.code ?? 0);
      else if (error === undefined) await memory.forget();
    },
  });
  try {
    const facts = await pool.call("open", { module, token, pin });
    return providerOf(pool, facts, requireRecipients(facts), input);
  } catch (error) {
    pool[Symbol.dispose]();
    throw error instanceof ProviderError ? error : new ProviderError(classifyPkcs11(error), error);
  }
}

function requireRecipients(facts: TokenFacts): Capabilities {
  const capabilities = capabilitiesOf(facts);
  if (capabilities !== undefined) return capabilities;
  const detail = `the token ${facts.label} has neither CKM_AES_KEY_WRAP nor CKM_AES_GCM, with which branch keys are wrapped`;
  throw new ProviderError({ failure: "INTERNAL", detail });
}

function providerOf(
  pool: WorkerPool,
  facts: TokenFacts,
  capabilities: Capabilities,
  { sources }: OpenProviderOptions<Pkcs11Options>,
): Provider {
  const tools: Tools = { pool, facts, capabilities, random: sources.random, now: () => sources.clock.now() };
  const wrapper = pkcs11Wrapper(tools);
  const has = (...operations: readonly string[]): boolean =>
    capabilities.rows.some(({ operation }) => operations.includes(operation));
  return {
    kind: KIND,
    capabilities,
    ...pkcs11Canary(tools, { wrapper, sources }),
    ...pkcs11Observer(tools),
    classify: classifyPkcs11,
    renew: () => {
      pool.renew();
    },
    wrapper,
    keys: pkcs11Keys(tools),
    ...(has("encrypt") && { cipher: pkcs11Cipher(tools) }),
    ...(has("mac") && { mac: pkcs11Mac(tools) }),
    ...(has("sign") && { signer: pkcs11Signer(tools) }),
    ...(has("wrap-material") && { materialWrapper: pkcs11MaterialWrapper(tools) }),
    ...(has("agree") && { agreement: pkcs11Agreement(tools) }),
    ...(capabilities.rows.some(({ algorithm }) => hasPublicKey(algorithm)) && { publicKeys: pkcs11PublicKeys(tools) }),
    random: pkcs11Random(tools),
    [Symbol.asyncDispose]: async () => {
      pool[Symbol.dispose]();
      await Promise.resolve();
    },
  };
}
