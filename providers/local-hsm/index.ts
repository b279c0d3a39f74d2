import { resolve } from "node:path";
import type { OpenProviderOptions, Provider, ProviderKind } from "#core/provider.ts";
import { localAgreement } from "./agreement.ts";
import { localCanary } from "./canary.ts";
import { LOCAL_CAPABILITIES } from "./capabilities.ts";
import { localCipher } from "./cipher.ts";
import { localEncapsulation } from "./encapsulation.ts";
import { classifyLocal } from "./errors.ts";
import { localExporter } from "./exporter.ts";
import { localImporter } from "./importer.ts";
import { InvocationCounter } from "./invocations.ts";
import { KeyPairs } from "./key-pairs.ts";
import { localKeys } from "./keys.ts";
import { localMac } from "./mac.ts";
import { localMaterialWrapper } from "./material-wrapper.ts";
import { ObjectStore } from "./objects.ts";
import { localObserver } from "./observer.ts";
import { type LocalHsmOptions, parseLocalHsmOptions } from "./options.ts";
import { localPublicKeys } from "./public-keys.ts";
import { localRandom } from "./random-source.ts";
import { Session } from "./session.ts";
import { localSigner } from "./signer.ts";
import { startSweeper } from "./sweeper.ts";
import type { TokenPlace } from "./token.ts";
import { localWrapper } from "./wrapper.ts";

const KIND = "local-hsm";

/** A software HSM: real cryptography and a durable store of its own, in our process and one folder. Protection is always `software`. */
export const localHsm: ProviderKind<LocalHsmOptions> = { kind: KIND, parseOptions: parseLocalHsmOptions, open };

async function open(input: OpenProviderOptions<LocalHsmOptions>): Promise<Provider> {
  const { sources } = input;
  const session = await Session.open(placeOf(input));
  const store = new ObjectStore(session, sources);
  const sweeper = startSweeper(store, sources.scheduler);
  const pairs = new KeyPairs();
  const counter = new InvocationCounter(store);
  const processSecret = sources.random.kernelBytes(32);
  const wrapper = localWrapper(store);
  return {
    kind: KIND,
    capabilities: LOCAL_CAPABILITIES,
    ...localCanary({ session, store, sources, wrapper }),
    ...localObserver(store),
    classify: classifyLocal,
    renew: () => {
      session.renew();
    },
    wrapper,
    keys: localKeys(store, sources),
    cipher: localCipher({ store, pairs, counter, random: sources.random, processSecret }),
    mac: localMac(store),
    signer: localSigner({ store, pairs, random: sources.random }),
    materialWrapper: localMaterialWrapper(store),
    agreement: localAgreement(store, pairs),
    encapsulation: localEncapsulation(store, pairs),
    publicKeys: localPublicKeys(store, pairs),
    importer: localImporter(store),
    exporter: localExporter(store, sources.random),
    random: localRandom(sources.random),
    [Symbol.asyncDispose]: async () => {
      sweeper[Symbol.dispose]();
      session[Symbol.dispose]();
      store[Symbol.dispose]();
      processSecret.fill(0);
      await Promise.resolve();
    },
  };
}

function placeOf({ name, options, dataFolder, sources }: OpenProviderOptions<LocalHsmOptions>): TokenPlace {
  const folder = resolve(dataFolder, options.folder ?? name);
  const { seal } = options;
  if (seal.kind === "passphrase") return { folder, seal, sources };
  const path = seal.file === null ? resolve(folder, "master.key") : resolve(dataFolder, seal.file);
  return { folder, seal: { kind: "file", path }, sources };
}
