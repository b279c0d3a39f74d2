import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Context } from "#core/context.ts";
import type { Capabilities, Cipher, KeyAdministration, MacSigner, Provider } from "#core/provider.ts";
import { LOCAL_CAPABILITIES } from "#providers/local-hsm/capabilities.ts";
import { localHsm } from "#providers/local-hsm/index.ts";
import { localSources } from "../unit/providers/local-hsm/sources.ts";
import { ABILITY_PLANTS } from "./ability-plants.ts";
import { type Plant, type Whole, whole } from "./plant.ts";
import { runOrDecline } from "./provider.suite.ts";
import { call, openSubject, type ProviderHarness, type ProviderTest, type Subject } from "./provider/subject.ts";
import { providerTests } from "./provider/tests.ts";
import { restricting } from "./restricting.ts";

const empty = { value: Buffer.alloc(1), requestId: null };
const opened = async () => await Promise.resolve(empty);
const keysOf = (change: (keys: KeyAdministration) => Partial<KeyAdministration>) => (provider: Whole) => ({
  keys: { ...provider.keys, ...change(provider.keys) },
});
const wrapperOf = (change: (wrapper: Provider["wrapper"]) => Partial<Provider["wrapper"]>) => (provider: Whole) => ({
  wrapper: { ...provider.wrapper, ...change(provider.wrapper) },
});
const cipherOf = (change: (cipher: Cipher) => Partial<Cipher>) => (provider: Whole) => ({
  cipher: { ...provider.cipher, ...change(provider.cipher) },
});
const macOf = (change: (mac: MacSigner) => Partial<MacSigner>) => (provider: Whole) => ({
  mac: { ...provider.mac, ...change(provider.mac) },
});
const noDisable = (provider: Whole) => ({
  keys: {
    ...provider.keys,
    disable: async (ref: string) => ({ ...(await provider.describe(ref, call())), observed: "disabled" as const }),
  },
});
const noSchedule = (provider: Whole) => ({
  keys: {
    ...provider.keys,
    scheduleDestruction: async (ref: string) => await provider.describe(ref, call()),
  },
});
const noContext: Context = { kind: "none" };
const NO_DIGEST = { digest: Buffer.alloc(32) };
const counter = () => {
  let count = 0;
  return () => count++;
};

const OPAQUE = "AES-256-OPAQUE: ";
const HMAC = "HMAC-SHA-256: ";
const REFUSES = "refuses another recipient, another context, and every changed or missing byte, in the same words";
const REFUSES_KEY = "refuses another key, another context, and every changed or missing byte, in the same words";

const PLANTS: readonly Plant[] = [
  {
    test: "identify answers one uid and one canary, each time and from each handle",
    fault: "another uid each time",
    spoil: (provider) => {
      const next = counter();
      return { identify: async (context) => ({ ...(await provider.identify(context)), uid: `uid-${next()}` }) };
    },
  },
  {
    test: "the canary key works, and is enabled",
    fault: "a probe that fails",
    spoil: () => ({ probe: async () => await Promise.reject(new Error("down")) }),
  },
  {
    test: "a probe with a key that does not exist rejects",
    fault: "a probe that asks nobody",
    spoil: () => ({ probe: async () => await Promise.resolve() }),
  },
  {
    test: "a renewed provider is the same one",
    fault: "a renewal that breaks",
    spoil: (provider) => {
      let isRenewed = false;
      return {
        renew: () => {
          isRenewed = true;
        },
        probe: async (ref, context) => {
          if (isRenewed) throw new Error("closed");
          await provider.probe(ref, context);
        },
      };
    },
  },
  {
    test: "the provider declares what its harness says, and has the abilities that its rows need",
    fault: "other capabilities",
    spoil: (provider) => ({ capabilities: { ...provider.capabilities, protection: "hsm" } }),
  },
  {
    test: "unwrap opens what wrap made, from each handle, in a buffer of the caller's own",
    fault: "a pooled buffer",
    spoil: wrapperOf((wrapper) => ({
      unwrap: async (input, context) => {
        const { value } = await wrapper.unwrap(input, context);
        const pooled = Buffer.from(new Uint8Array(4096).buffer, 8, value.length);
        value.copy(pooled);
        return { value: pooled, requestId: null };
      },
    })),
  },
  {
    test: "a wrap does not show its payload, and leaves it as it was",
    fault: "a wrap in the clear",
    spoil: wrapperOf(() => ({
      wrap: async ({ payload }) => await Promise.resolve({ value: Buffer.from(payload), requestId: null }),
    })),
  },
  {
    test: `unwrap ${REFUSES}`,
    fault: "a context that is not bound",
    spoil: wrapperOf((wrapper) => ({
      wrap: async (input, context) =>
        await wrapper.wrap({ ...input, context: { ...input.context, ...NO_DIGEST } }, context),
      unwrap: async (input, context) =>
        await wrapper.unwrap({ ...input, context: { ...input.context, ...NO_DIGEST } }, context),
    })),
  },
  {
    test: `unwrap ${REFUSES}`,
    fault: "other words for a short wrap",
    spoil: (provider) => ({
      classify: (error) => ({ ...provider.classify(error), detail: error instanceof Error ? String(error.stack) : "" }),
    }),
  },
  {
    test: "a wrap that is longer than any is refused like any other",
    fault: "a refusal as unsupported",
    spoil: wrapperOf(() => ({ unwrap: async () => await Promise.reject(new Error("too long")) })),
  },
  {
    test: "wrap takes as many bytes as it declares",
    fault: "a smaller limit than declared",
    spoil: wrapperOf((wrapper) => ({
      wrap: async (input, context) => {
        if (input.payload.length > 72) throw new Error("too long");
        return await wrapper.wrap(input, context);
      },
    })),
  },
  {
    test: "wrap refuses more bytes than it declares, before the call",
    fault: "no limit",
    spoil: wrapperOf(() => ({ wrap: opened })),
  },
  {
    test: "the algorithm of recipients is one that wraps",
    fault: "recipients that sign",
    harness: { capabilities: { ...LOCAL_CAPABILITIES, recipientAlgorithm: "ED25519" } },
  },
  {
    test: `${OPAQUE}decrypt opens what encrypt made, of each size and from each handle`,
    fault: "a plaintext that lacks its end",
    spoil: cipherOf((cipher) => ({
      decrypt: async (input, context) => {
        const { value } = await cipher.decrypt(input, context);
        return { value: Buffer.concat([value.subarray(0, 999)]), requestId: null };
      },
    })),
  },
  {
    test: `${OPAQUE}one plaintext has another ciphertext each time`,
    fault: "a cipher that remembers",
    spoil: cipherOf((cipher) => {
      let first: ReturnType<Cipher["encrypt"]> | undefined;
      return { encrypt: async (input, context) => await (first ??= cipher.encrypt(input, context)) };
    }),
  },
  {
    test: `${OPAQUE}decrypt ${REFUSES_KEY}`,
    fault: "a context that is not bound",
    spoil: cipherOf((cipher) => ({
      encrypt: async (input, context) => await cipher.encrypt({ ...input, context: noContext }, context),
      decrypt: async (input, context) => await cipher.decrypt({ ...input, context: noContext }, context),
    })),
  },
  {
    test: `${OPAQUE}contexts that are the same open, in whatever order, and those it cannot bind are refused`,
    fault: "a context bound in the order of its pairs",
    spoil: cipherOf((cipher) => {
      const ordered = (context: Context): Context =>
        context.kind === "map" ? { kind: "bytes", bytes: Buffer.from(JSON.stringify([...context.pairs])) } : context;
      return {
        encrypt: async (input, context) => await cipher.encrypt({ ...input, context: ordered(input.context) }, context),
        decrypt: async (input, context) => await cipher.decrypt({ ...input, context: ordered(input.context) }, context),
      };
    }),
  },
  {
    test: `${OPAQUE}encrypt refuses more bytes than it declares, or fewer, before the call`,
    fault: "no limit",
    spoil: cipherOf(() => ({ encrypt: opened })),
  },
  {
    test: `${OPAQUE}a ciphertext that is longer than any is refused like any other`,
    fault: "a refusal as unsupported",
    spoil: cipherOf(() => ({ decrypt: async () => await Promise.reject(new Error("too long")) })),
  },
  {
    test: `${HMAC}a mac is whole, the same each time, and fits its message from each handle`,
    fault: "a truncated mac",
    spoil: macOf((mac) => ({
      mac: async (input, context) => ({
        value: (await mac.mac(input, context)).value.subarray(0, 16),
        requestId: null,
      }),
    })),
  },
  {
    test: `${HMAC}a mac of another message, another key, another length or with a changed bit is false, not an error`,
    fault: "a mac compared by its first half",
    spoil: macOf((mac) => ({
      verifyMac: async (input, context) => {
        const { value } = await mac.mac(input, context);
        return { value: value.subarray(0, 16).equals(input.mac.subarray(0, 16)), requestId: null };
      },
    })),
  },
  {
    test: `${HMAC}mac and verify-mac refuse more bytes than they declare, or fewer, before the call`,
    fault: "no limit",
    spoil: macOf(() => ({ mac: opened })),
  },
  ...["encrypt", "decrypt"].map((operation) => ({
    test: `${operation} refuses every algorithm that is not declared, before the call`,
    fault: "an algorithm that is taken for another",
    spoil: cipherOf((cipher) => ({
      encrypt: async (input, context) => await cipher.encrypt({ ...input, algorithm: "AES-256-OPAQUE" }, context),
      decrypt: async (input, context) => await cipher.decrypt({ ...input, algorithm: "AES-256-OPAQUE" }, context),
    })),
  })),
  ...["mac", "verify-mac"].map((operation) => ({
    test: `${operation} refuses every algorithm that is not declared, before the call`,
    fault: "an algorithm that is taken for another",
    spoil: macOf((mac) => ({
      mac: async (input, context) => await mac.mac({ ...input, algorithm: "HMAC-SHA-256" }, context),
      verifyMac: async (input, context) => await mac.verifyMac({ ...input, algorithm: "HMAC-SHA-256" }, context),
    })),
  })),
  {
    test: "create refuses every algorithm that no row names",
    fault: "an algorithm that is taken for another",
    spoil: keysOf((keys) => ({
      create: async (spec, context) => await keys.create({ ...spec, algorithm: "AES-KWP" }, context),
    })),
  },
  {
    test: "create makes an enabled key for AES-KWP that carries its marker",
    fault: "a key without its marker",
    spoil: keysOf((keys) => ({
      create: async (spec, context) => ({ ...(await keys.create(spec, context)), marker: null }),
    })),
  },
  {
    test: "create answers the key that carries the marker already",
    fault: "a new key each time",
    spoil: keysOf((keys) => {
      const next = counter();
      return {
        create: async (spec, context) => await keys.create({ ...spec, marker: `${spec.marker}-${next()}` }, context),
      };
    }),
  },
  {
    test: "one marker makes one key, however many create it at once",
    fault: "a marker looked for before the key is made",
    spoil: keysOf((keys) => {
      const made = new Map<string, ReturnType<KeyAdministration["create"]>>();
      const next = counter();
      return {
        create: async (spec, context) => {
          const known = made.get(spec.marker);
          await Promise.resolve();
          if (known !== undefined) return await known;
          const making = keys.create({ ...spec, marker: `${spec.marker}-${next()}` }, context);
          made.set(spec.marker, making);
          return await making;
        },
      };
    }),
  },
  {
    test: "the list shows every key once, over all pages, from each handle",
    fault: "a list that ends after its first page",
    spoil: (provider) => ({
      list: async function* list(context) {
        let count = 0;
        for await (const one of provider.list(context)) if (count++ < 4) yield one;
      },
    }),
  },
  {
    test: "the list shows a key as describe does",
    fault: "a list that believes all keys enabled",
    spoil: (provider) => ({
      list: async function* list(context) {
        for await (const one of provider.list(context)) yield { ...one, observed: "enabled" };
      },
    }),
  },
  {
    test: "a disabled key is described so, does nothing, and works again once it is enabled",
    fault: "a disabled key that works",
    spoil: noDisable,
  },
  {
    test: "every declared use of a disabled key is refused as STATE",
    fault: "a disabled key that works",
    spoil: noDisable,
  },
  {
    test: "enable and disable may be repeated",
    fault: "a second disable that fails",
    spoil: (provider) => ({
      keys: {
        ...provider.keys,
        disable: async (ref, context) => {
          if ((await provider.describe(ref, context)).observed === "disabled") throw new Error("again");
          return await provider.keys.disable(ref, context);
        },
      },
    }),
  },
  { test: "a change is seen from another handle at once", fault: "a disabled key that works", spoil: noDisable },
  {
    test: "a key whose destruction is scheduled is described so, with its time",
    fault: "no time",
    spoil: keysOf((keys) => ({
      scheduleDestruction: async (ref, days, context) => ({
        ...(await keys.scheduleDestruction(ref, days, context)),
        destroyTime: null,
      }),
    })),
  },
  {
    test: "every declared use of a key whose destruction is scheduled is refused as STATE, and so are enable and disable",
    fault: "a destruction that is not scheduled",
    spoil: noSchedule,
  },
  {
    test: "a cancelled destruction leaves the key whole: enabled, it opens what it made",
    fault: "a cancellation that does nothing",
    spoil: (provider) => ({
      keys: { ...provider.keys, cancelDestruction: async (ref, context) => await provider.describe(ref, context) },
    }),
  },
  {
    test: "a destruction outside the declared window is refused before the call",
    fault: "any window",
    spoil: keysOf((keys) => ({
      scheduleDestruction: async (ref, _days, context) => await keys.scheduleDestruction(ref, 1, context),
    })),
  },
  {
    test: "a key past its destruction time is gone for every use, and cannot be brought back",
    fault: "a time that never comes",
    harness: { advance: () => undefined },
  },
  {
    test: "a key that does not exist is NOT_FOUND, whatever is asked of it",
    fault: "another word",
    spoil: (provider) => ({ classify: (error) => ({ ...provider.classify(error), failure: "STATE" }) }),
  },
  {
    test: "a call whose signal has fired rejects as CANCELLED",
    fault: "a signal that one method does not hear",
    spoil: (provider) => ({ describe: async (ref) => await provider.describe(ref, call()) }),
  },
  {
    test: "a call whose signal fires on the way rejects as CANCELLED, and nothing is half made",
    fault: "a signal that is only looked at before",
    spoil: keysOf((keys) => ({
      create: async (spec, { signal }) => {
        signal.throwIfAborted();
        return await keys.create(spec, call());
      },
    })),
  },
  {
    test: "classify never throws, and calls INTERNAL what it does not know",
    fault: "a guess from the name",
    spoil: (provider) => ({
      classify: (error) =>
        error instanceof TypeError ? { failure: "OUTAGE", detail: "network" } : provider.classify(error),
    }),
  },
  {
    test: "calls at once do not disturb each other",
    fault: "a payload kept between calls",
    spoil: wrapperOf((wrapper) => {
      let last: Buffer = Buffer.alloc(0);
      return {
        unwrap: async (input, context) => {
          last = (await wrapper.unwrap(input, context)).value;
          await new Promise(setImmediate);
          return { value: last, requestId: null };
        },
      };
    }),
  },
  {
    test: "a key that is used while it is disabled is refused or works, and is refused from then on",
    fault: "a disabled key that works",
    spoil: noDisable,
  },
  {
    test: "random bytes, where they are offered, are as many as asked, another time others, and the caller's own",
    fault: "zeros",
    spoil: () => ({
      random: {
        randomBytes: async (length) => await Promise.resolve({ value: Buffer.alloc(length), requestId: null }),
      },
    }),
  },
  {
    test: "random bytes, where they are offered, are refused below 1 and above 1024, before the call",
    fault: "any length",
    spoil: () => ({ random: { randomBytes: opened } }),
  },
];

/** One algorithm of each purpose, and one signature whose digest nothing takes. */
const NARROW_TO: readonly string[] = [
  "AES-256-OPAQUE",
  "RSA-2048-OAEP-SHA256",
  "HMAC-SHA-256",
  "EC-P256-SHA256",
  "ED25519",
  "AES-KWP",
  "ECDH-P256",
  "ML-KEM-512",
];
const NARROW: Capabilities = {
  ...LOCAL_CAPABILITIES,
  rows: LOCAL_CAPABILITIES.rows.filter(({ algorithm }) => NARROW_TO.includes(algorithm)),
  processOnly: true,
};

/** What a plant's test sees: of the undeclared ones the provider as it is, of all others a narrower one that restricts keys. */
function capabilitiesFor(test: string): Capabilities {
  return /^\S+ refuses every algorithm/u.test(test) ? LOCAL_CAPABILITIES : NARROW;
}

function harnessOf({ test = "", spoil, harness }: Partial<Plant> = {}): ProviderHarness {
  const dataFolder = mkdtempSync(join(tmpdir(), "suite-"));
  onTestFinished(() => {
    rmSync(dataFolder, { recursive: true });
  });
  const sources = localSources();
  const options = { folder: null, seal: { kind: "file", file: null } } as const;
  const capabilities = capabilitiesFor(test);
  const restricted = new Set<string>();
  return {
    name: "spoilt",
    capabilities,
    open: async () => {
      const local = whole(await localHsm.open({ name: "hsm", options, dataFolder, sources }));
      const provider = capabilities.processOnly ? { ...restricting(local, restricted), capabilities } : local;
      return { ...provider, ...spoil?.(provider) };
    },
    unknownRef: "0193b3a0-0000-7000-8000-000000000000",
    advance: (ms) => {
      sources.clock.advance(ms);
    },
    sizes: { flippedBits: 100, cuts: 20, parallel: 20 },
    isThrowaway: true,
    ...harness,
  };
}

async function runTest(name: string, plant?: Plant): Promise<void> {
  const harness = harnessOf({ test: name, ...plant });
  const test = providerTests(harness).find((one) => one.name === name) ?? expect.fail(`no test is named ${name}`);
  const subject = await openSubject(harness);
  try {
    await test.run(subject);
  } finally {
    await subject.close();
  }
}

const ALL_PLANTS = [...PLANTS, ...ABILITY_PLANTS];

/** A test without the algorithm that it is of: what is one sentence is one function. */
function sentenceOf(test: string): string {
  return test.replace(/^[\w-]+: /u, "");
}

describe("the provider suite", { timeout: 20_000 }, () => {
  it.each(ALL_PLANTS)("sees $fault: $test", async (plant) => {
    await runTest(plant.test);
    await expect(runTest(plant.test, plant)).rejects.toThrow();
  });

  it("has a plant for each of its tests", () => {
    const names = providerTests({ ...harnessOf(), capabilities: NARROW }).map(({ name }) => name);
    const planted = new Set(ALL_PLANTS.map(({ test }) => sentenceOf(test)));
    const creates = (name: string) => name.startsWith("create makes an enabled key for ");
    expect(names.filter((name) => !planted.has(sentenceOf(name)) && !creates(name))).toEqual([]);
  });
});

describe("a harness that declines a test", () => {
  const passing = async () => await Promise.resolve();
  const failing = async () => await Promise.reject(new Error("not so"));
  const decline = { it: "the service has none" };
  const run = async (test: ProviderTest["run"], declined: ProviderHarness["decline"] = {}) => {
    const skip = vi.fn<(reason?: string) => never>();
    const harness = { ...harnessOf(), decline: declined };
    await runOrDecline({ test: { name: "it", run: test }, harness, subject: {} as Subject }, { skip });
    return skip.mock.calls;
  };

  it("has it skipped with its reason, if it fails", async () => {
    await expect(run(failing, decline)).resolves.toEqual([["the service has none"]]);
  });

  it("fails, if it passes", async () => {
    await expect(run(passing, decline)).rejects.toThrow("declined, but it passes: the service has none");
  });

  it("leaves the others alone", async () => {
    await expect(run(passing)).resolves.toEqual([]);
    await expect(run(failing)).rejects.toThrow("not so");
  });
});
