import { expect } from "vitest";
import type { AlgorithmName } from "#core/algorithms.ts";
import { modulusBits } from "./material.ts";
import { call, listed, type ProviderTest, type ProviderTests } from "./subject.ts";

export const keyTests: ProviderTests = (harness) => {
  const { recipientAlgorithm: algorithm, rows } = harness.capabilities;
  const algorithms = new Set<AlgorithmName>([algorithm, ...rows.map((row) => row.algorithm)]);
  const { imported = [] } = harness;
  const spared = imported.filter(
    (name, at) => imported.findIndex((one) => modulusBits(one) === modulusBits(name)) < at,
  );
  return [
    ...[...algorithms].filter((name) => !spared.includes(name)).map(createTest),
    {
      name: "create answers the key that carries the marker already",
      run: async ({ provider, second, freshMarker, note }) => {
        const spec = { algorithm, marker: freshMarker(), description: "first" };
        const first = await provider.keys.create(spec, call());
        note(first.ref);
        for (const handle of [provider, second]) {
          expect((await handle.keys.create({ ...spec, description: "again" }, call())).ref).toBe(first.ref);
        }
        expect((await provider.keys.create({ ...spec, marker: freshMarker() }, call())).ref).not.toBe(first.ref);
      },
    },
    {
      name: "one marker makes one key, however many create it at once",
      run: async ({ provider, second, freshMarker, note }) => {
        const spec = { algorithm, marker: freshMarker(), description: "" };
        const handles = [provider, second, provider, second, provider, second];
        const made = await Promise.all(handles.map(async (handle) => await handle.keys.create(spec, call())));
        made.forEach(({ ref }) => {
          note(ref);
        });
        expect(new Set(made.map(({ ref }) => ref)).size).toBe(1);
        const carrying = (await listed(provider)).filter(({ marker }) => marker === spec.marker);
        expect(carrying).toHaveLength(1);
      },
    },
    {
      name: "the list shows every key once, over all pages, from each handle",
      run: async ({ provider, second, sizes, freshKey }) => {
        const refs: string[] = [];
        for (let at = 0; at < sizes.listedKeys; at++) refs.push(await freshKey(algorithm));
        for (const handle of [provider, second]) {
          const seen = (await listed(handle)).map(({ ref }) => ref);
          expect(new Set(seen).size).toBe(seen.length);
          expect(seen).toEqual(expect.arrayContaining(refs));
        }
      },
    },
    {
      name: "the list shows a key as describe does",
      run: async ({ provider, freshKey }) => {
        const ref = await freshKey(algorithm);
        await provider.keys.disable(ref, call());
        const entry = (await listed(provider)).find((one) => one.ref === ref) ?? expect.fail("the key is not listed");
        const described = await provider.describe(ref, call());
        expect({ ...entry, requestId: null }).toEqual({ ...described, requestId: null });
      },
    },
    ...foreignTests(harness.foreignKey),
  ];
};

function createTest(algorithm: AlgorithmName): ProviderTest {
  return {
    name: `create makes an enabled key for ${algorithm} that carries its marker`,
    run: async ({ provider, second, freshMarker, note }) => {
      const marker = freshMarker();
      const made = await provider.keys.create({ algorithm, marker, description: "a key" }, call());
      note(made.ref);
      expect(made).toMatchObject({ observed: "enabled", algorithm, marker, destroyTime: null });
      expect(made.createTime).toEqual(expect.any(Number));
      for (const handle of [provider, second]) {
        const described = await handle.describe(made.ref, call());
        expect({ ...described, requestId: null }).toEqual({ ...made, requestId: null });
      }
    },
  };
}

function foreignTests(foreignKey: (() => Promise<string>) | undefined): ProviderTest[] {
  if (foreignKey === undefined) return [];
  return [
    {
      name: "a key that others made is described and listed, without a marker",
      run: async ({ provider }) => {
        const ref = await foreignKey();
        expect(await provider.describe(ref, call())).toMatchObject({ ref, marker: null });
        expect((await listed(provider)).find((one) => one.ref === ref)).toMatchObject({ marker: null });
      },
    },
  ];
}
