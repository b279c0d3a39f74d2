/**
 * A process beside the test's own, on the same folder: `node second-process.ts DATA_FOLDER share|churn`.
 * `share` makes and changes the same keys as its siblings, and prints the references. `churn` goes on until it is killed.
 */
import { NO_CONTEXT } from "#core/context.ts";
import type { CallContext, Provider } from "#core/provider.ts";
import { localHsm } from "#providers/local-hsm/index.ts";
import { localSources } from "./sources.ts";

const [dataFolder = "", task = ""] = process.argv.slice(2);
const call: CallContext = { signal: new AbortController().signal, requestId: "req_second" };
const options = { folder: null, seal: { kind: "file", file: null } } as const;
const provider = await localHsm.open({ name: "hsm", options, dataFolder, sources: localSources() });
await (task === "share" ? share(provider) : churn(provider));

async function share({ keys, cipher }: Provider): Promise<void> {
  const refs: string[] = [];
  for (let at = 0; at < 10; at++) {
    const spec = { algorithm: "AES-256-GCM", marker: `shared-${at}`, description: "" } as const;
    refs.push((await keys.create(spec, call)).ref);
  }
  const [ref = ""] = refs;
  await cipher?.encrypt({ ref, algorithm: "AES-256-GCM", plaintext: Buffer.from("x"), context: NO_CONTEXT }, call);
  process.stdout.write(`${JSON.stringify(refs)}\n`);
}

async function churn({ keys }: Provider): Promise<void> {
  for (let at = 0; ; at++) {
    const { ref } = await keys.create({ algorithm: "AES-KWP", marker: `churn-${at}`, description: "" }, call);
    await keys.disable(ref, call);
    process.stdout.write(`${ref}\n`);
  }
}
