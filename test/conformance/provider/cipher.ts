import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import type { AlgorithmName } from "#core/algorithms.ts";
import { type Context, NO_CONTEXT } from "#core/context.ts";
import type { CapabilityRow, Cipher, Provider } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { damaged, expectAllInvalid } from "./attack.ts";
import { oaepTests } from "./oaep.ts";
import {
  call,
  expectOwned,
  expectUnsupported,
  type ProviderTest,
  type ProviderTests,
  type Subject,
} from "./subject.ts";

export const cipherTests: ProviderTests = ({ capabilities }) => {
  const { rows } = capabilities;
  const imports = (algorithm: AlgorithmName) =>
    rows.some((row) => row.operation === "import" && row.algorithm === algorithm);
  return rows
    .filter(({ operation }) => operation === "encrypt")
    .flatMap((row) => [
      ...testsOf(row),
      ...(row.algorithm.startsWith("RSA-") ? oaepTests(row, imports(row.algorithm)) : []),
    ]);
};

function testsOf(row: CapabilityRow): ProviderTest[] {
  const { algorithm, minInputBytes = 0, maxInputBytes, context } = row;
  const sizes = [0, 1, 15, 16, 1000, maxInputBytes].filter((size) => size >= minInputBytes && size <= maxInputBytes);
  return [
    {
      name: `${algorithm}: decrypt opens what encrypt made, of each size and from each handle`,
      run: async (subject) => {
        const ref = await subject.sharedKey(algorithm);
        for (const size of sizes) {
          const plaintext = randomBytes(size);
          const ciphertext = await encrypt(subject, { ref, algorithm, plaintext, context: NO_CONTEXT });
          if (size >= 15) expect(ciphertext.includes(plaintext)).toBe(false);
          for (const provider of [subject.provider, subject.second]) {
            const opened = await decrypt(provider, { ref, algorithm, ciphertext, context: NO_CONTEXT });
            expect(opened.equals(plaintext)).toBe(true);
            expectOwned(opened);
          }
        }
      },
    },
    {
      name: `${algorithm}: one plaintext has another ciphertext each time`,
      run: async (subject) => {
        const input = {
          ref: await subject.sharedKey(algorithm),
          algorithm,
          plaintext: Buffer.from("the same"),
          context: NO_CONTEXT,
        };
        const made = await Promise.all(Array.from({ length: 8 }, async () => await encrypt(subject, input)));
        expect(new Set(made.map((ciphertext) => ciphertext.toString("hex"))).size).toBe(8);
      },
    },
    {
      name: `${algorithm}: decrypt refuses another key, another context, and every changed or missing byte, in the same words`,
      run: async (subject) => {
        const { provider } = subject;
        const ref = await subject.sharedKey(algorithm);
        const other = await subject.sharedKey(algorithm, "second");
        const bound = CONTEXTS[context];
        const ciphertext = await encrypt(subject, {
          ref,
          algorithm,
          plaintext: Buffer.from("attack at dawn"),
          context: bound.own,
        });
        const open = (input: { ref: NativeRef; ciphertext: Uint8Array; context: Context }) => async () =>
          await decrypt(provider, { algorithm, ...input });
        await expectAllInvalid(provider, [
          open({ ref: other, ciphertext, context: bound.own }),
          ...bound.others.map((changed) => open({ ref, ciphertext, context: changed })),
          ...[...damaged(ciphertext, damageOf(subject, algorithm))].map((bytes) =>
            open({ ref, ciphertext: bytes, context: bound.own }),
          ),
        ]);
      },
    },
    {
      name: `${algorithm}: contexts that are the same open, in whatever order, and those it cannot bind are refused`,
      run: async (subject) => {
        const { provider, harness } = subject;
        const ref = await subject.sharedKey(algorithm);
        const plaintext = Buffer.from("x");
        for (const [made, asked] of CONTEXTS[context].same) {
          const ciphertext = await encrypt(subject, { ref, algorithm, plaintext, context: made });
          expect((await decrypt(provider, { ref, algorithm, ciphertext, context: asked })).equals(plaintext)).toBe(
            true,
          );
        }
        for (const unbound of CONTEXTS[context].refused) {
          const input = { ref: harness.unknownRef, algorithm, context: unbound };
          await expectUnsupported(provider, async () => await encrypt(subject, { ...input, plaintext }));
          await expectUnsupported(
            provider,
            async () => await decrypt(provider, { ...input, ciphertext: randomBytes(100) }),
          );
        }
      },
    },
    {
      name: `${algorithm}: encrypt refuses more bytes than it declares, or fewer, before the call`,
      run: async (subject) => {
        const input = { ref: subject.harness.unknownRef, algorithm, context: NO_CONTEXT };
        for (const size of [maxInputBytes + 1, ...(minInputBytes > 0 ? [minInputBytes - 1] : [])]) {
          const plaintext = Buffer.alloc(size);
          await expectUnsupported(subject.provider, async () => await encrypt(subject, { ...input, plaintext }));
        }
      },
    },
    {
      name: `${algorithm}: a ciphertext that is longer than any is refused like any other`,
      run: async (subject) => {
        const { provider, harness } = subject;
        const ref = await subject.sharedKey(algorithm);
        const longest = harness.capabilities.rows.find(
          (one) => one.operation === "decrypt" && one.algorithm === algorithm,
        );
        const ciphertext = randomBytes((longest ?? expect.fail("no row for decrypt")).maxInputBytes + 1);
        const open = async () => await decrypt(provider, { ref, algorithm, ciphertext, context: NO_CONTEXT });
        await expectAllInvalid(provider, [open]);
      },
    },
  ];
}

/** A private key of RSA costs as much as hundreds of block ciphers. */
function damageOf({ sizes }: Subject, algorithm: AlgorithmName): Subject["sizes"] {
  return algorithm.startsWith("RSA-") ? { ...sizes, flippedBits: 12, cuts: 5 } : sizes;
}

const map = (...pairs: readonly (readonly [string, string])[]): Context => ({ kind: "map", pairs: new Map(pairs) });
const bytes = (text: string): Context => ({ kind: "bytes", bytes: Buffer.from(text) });

type ContextCases = {
  readonly own: Context;
  readonly others: readonly Context[];
  readonly same: readonly (readonly [Context, Context])[];
  readonly refused: readonly Context[];
};

const OWN_MAP = map(["a", "1"], ["b", "2"]);
const OTHER_MAPS = [
  NO_CONTEXT,
  map(["a", "1"]),
  map(["a", "1"], ["b", "3"]),
  map(["a", "2"], ["b", "1"]),
  map(["a", "1"], ["b", "2"], ["c", ""]),
  map(["a", "1"], ["B", "2"]),
];
const SAME_MAPS: ContextCases["same"] = [
  [OWN_MAP, map(["b", "2"], ["a", "1"])],
  [NO_CONTEXT, map()],
  [map(["__proto__", "x"], ["k", "\u{1F511}"]), map(["k", "\u{1F511}"], ["__proto__", "x"])],
];

/** By what a row binds: `bytes` binds any context, `map` maps alone. */
const CONTEXTS: Readonly<Record<CapabilityRow["context"], ContextCases>> = {
  none: { own: NO_CONTEXT, others: [], same: [[NO_CONTEXT, map()]], refused: [OWN_MAP, bytes("abc")] },
  map: { own: OWN_MAP, others: OTHER_MAPS, same: SAME_MAPS, refused: [bytes("abc")] },
  bytes: {
    own: OWN_MAP,
    others: [...OTHER_MAPS, bytes("a"), bytes("a1b2")],
    same: [...SAME_MAPS, [bytes("\0\u00FF"), bytes("\0\u00FF")]],
    refused: [],
  },
};

async function encrypt({ provider }: Subject, input: Parameters<Cipher["encrypt"]>[0]): Promise<Buffer> {
  return (await cipherOf(provider).encrypt(input, call())).value;
}

async function decrypt(
  provider: Provider,
  input: Parameters<Cipher["decrypt"]>[0] & { algorithm: AlgorithmName },
): Promise<Buffer> {
  return (await cipherOf(provider).decrypt(input, call())).value;
}

function cipherOf({ cipher }: Provider): Cipher {
  return cipher ?? expect.fail("the provider has no cipher");
}
