import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { AlgorithmName } from "#core/algorithms.ts";
import type { Uuid } from "#core/ids.ts";
import type { Provider } from "#core/provider.ts";
import { localHsm } from "#providers/local-hsm/index.ts";
import type { LocalHsmOptions } from "#providers/local-hsm/options.ts";
import { call } from "../../../conformance/provider/subject.ts";
import { type LocalSources, localSources, ownRandom } from "./sources.ts";

/** A data folder that goes with the test. */
export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "local-hsm-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

export type Local = { readonly provider: Provider; readonly folder: string; readonly sources: LocalSources };

type OpenLocal = {
  readonly dataFolder?: string;
  readonly options?: Partial<LocalHsmOptions>;
  readonly sources?: LocalSources;
};

/** A software HSM named `hsm`; it closes with the test. */
export async function openLocal(given: OpenLocal = {}): Promise<Local> {
  const { dataFolder = freshFolder(), sources = localSources() } = given;
  const options: LocalHsmOptions = { folder: null, seal: { kind: "file", file: null }, ...given.options };
  const provider = await localHsm.open({ name: "hsm", options, dataFolder, sources });
  onTestFinished(async () => {
    await provider[Symbol.asyncDispose]();
  });
  return { provider, folder: join(dataFolder, "hsm"), sources };
}

/** Makes a key and gives its reference. */
export async function newKey({ provider }: Local, algorithm: AlgorithmName, marker = "op-1"): Promise<string> {
  return (await provider.keys.create({ algorithm, marker, description: "a key" }, call())).ref;
}

/** The names in a key's folder. */
export function filesOf({ folder }: Local, ref: string): string[] {
  return readdirSync(join(folder, "objects", ref)).toSorted();
}

/** Changes the text of a key's file in place. */
export function editFile(path: string, edit: (text: string) => string): void {
  writeFileSync(path, edit(readFileSync(path, "utf8")));
}

export function objectPath({ folder }: Local, ref: string, generation: number): string {
  return join(folder, "objects", ref, `${generation}.json`);
}

/** A wrap of 72 bytes and what opens it again. */
export async function newWrap({ provider }: Local, ref: string) {
  const payload = ownRandom(72);
  const id = "0193b3a0-0000-7000-8000-000000000001" as Uuid;
  const context = { branch: id, branchVersion: 1, recipient: id, digest: ownRandom(32) };
  const { value: wrap } = await provider.wrapper.wrap({ ref, payload, context }, call());
  return { ref, payload, wrap, context };
}
