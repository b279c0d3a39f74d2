import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_CONFIG } from "#config/default.ts";
import { parseConfig } from "#config/parse.ts";
import { formatProblem } from "#config/problem.ts";
import { PROVIDER_KINDS } from "#providers/registry.ts";
import { configOf, parse } from "./parse-fixture.ts";

const REJECTED = "test/unit/config/rejected";
const EXAMPLES = "config/examples";

describe("a configuration with mistakes", () => {
  it.for(readdirSync(REJECTED))("is refused with each of them, in the order of the file: %s", async (file) => {
    const text = readFileSync(`${REJECTED}/${file}`, "utf8");
    const expected = text.split("\n").flatMap((line) => (line.startsWith(`# ${file}:`) ? [line.slice(2)] : []));
    const result = await parse(text);
    expect(result.ok ? ["it was accepted"] : result.problems.map((problem) => formatProblem(file, problem))).toEqual(
      expected,
    );
  });

  it.for([
    {
      name: "a list that does not end",
      text: "routes: [\nlisten: { port: 8443 }",
      told: ["2:1: flow sequence in block collection must be sufficiently indented and end with a ]"],
    },
    {
      name: "a reference without quotes",
      text: "providers:\n  v: { vault: ${env:VAULT} }",
      told: expect.arrayContaining([
        "2:16: unexpected flow-map-start at node end; inside { } a text with ${…} is quoted",
      ]) as string[],
    },
    {
      name: "an alias",
      text: "providers: &p { a: { kind: local-hsm } }\naudit: *p",
      told: ["2:8: aliases are not supported"],
    },
    {
      name: "a tag",
      text: "providers: { a: { kind: local-hsm } }\njournal: !!set { x }",
      told: ["2:16: tags are not supported"],
    },
    {
      name: "a tag of its own",
      text: "providers: { a: { kind: !vault local-hsm } }",
      told: ["1:25: unresolved tag: !vault"],
    },
    {
      name: "names that are no texts",
      text: "providers:\n  1: { kind: local-hsm }\n  __proto__: { kind: local-hsm }\n  ? [b]\n  : { kind: local-hsm }\n",
      told: ["2:3: wanted a name", "3:3: wanted a name", "4:5: wanted a name"],
    },
  ])("is refused at the place of $name", async ({ text, told }) => {
    const result = await parse(text);
    expect(result.ok ? [] : result.problems.map((problem) => formatProblem("", problem).slice(1))).toEqual(told);
  });

  it("never throws, whatever the text is", async () => {
    const words = fc.constantFrom(
      "providers",
      "routes",
      ": ",
      "\n",
      "  ",
      "- ",
      "{",
      "}",
      "[",
      "]",
      '"',
      "${env:PORT}",
      "kind: vault",
      "#",
      "&a",
      "*a",
      "!",
      "1",
      "~",
      "place",
      "holders",
      "all",
      "\t",
      "é",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(words, { maxLength: 25 }), async (parts) => {
        const result = await parse(parts.join(""));
        expect(result.ok || result.problems.every(({ line, column }) => line >= 1 && column >= 1)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a configuration", () => {
  it("gets every default of the documents", async () => {
    expect(await configOf("providers: { a: { kind: local-hsm } }")).toEqual({
      providers: [
        {
          name: "a",
          kind: "local-hsm",
          options: {},
          failureDomain: "local-hsm",
          jurisdiction: null,
          entity: null,
          certification: null,
          protection: null,
        },
      ],
      routes: [
        {
          name: "default",
          match: { labels: {} },
          place: { holders: "all" },
          custody: {},
          order: { strategy: "priority" },
          require: {},
          onState: "stop",
        },
      ],
      resilience: {
        deadlineMs: 2000,
        attemptTimeoutMs: "auto",
        breaker: {
          failureRateThreshold: 50,
          minimumCalls: 10,
          consecutiveOutages: 3,
          slowCallMs: 1500,
          windowMs: 10_000,
          openForMs: 5000,
          openForMaxMs: 60_000,
        },
      },
      listen: { host: "127.0.0.1", port: 8443, tls: null, clientCertificates: null, insecureHttp: false },
      catalog: { protectStalenessMs: 60_000, processStalenessMs: 900_000 },
      envelope: { refreshMs: 300_000, hardTtlMs: 3_600_000 },
      journal: [{ path: "journal.jsonl" }],
      audit: { anchors: [] },
      policyHash: expect.stringMatching(/^[0-9a-f]{64}$/u) as string,
    });
  });

  it("keeps what a route says", async () => {
    const { routes } = await configOf(`
providers: { a: { kind: local-hsm, failureDomain: x }, b: { kind: vault, vault: v } }
routes:
  - name: cardholder-data
    match: { namespace: payments, labels: { residency: eu } }
    place: { holders: [b, a], minimum: 2 }
    custody: { mac: portable }
    order: { strategy: priority }
    require: { jurisdiction: [EU], entity: [EU, US], recipientProtection: hsm, keyProtection: hsm }
    onState: continue
  - name: default
    place: { holders: all }
`);
    expect(routes).toMatchObject([
      {
        name: "cardholder-data",
        match: { namespace: "payments", labels: { residency: "eu" } },
        place: { holders: ["b", "a"], minimum: 2 },
        custody: { mac: "portable" },
        require: { jurisdiction: ["EU"], entity: ["EU", "US"], recipientProtection: "hsm", keyProtection: "hsm" },
        onState: "continue",
      },
      { name: "default", place: { holders: "all" }, onState: "stop" },
    ]);
  });

  it("hands a kind its own members, with endpoint and credentials, and keeps the common ones", async () => {
    const { providers } = await configOf(`
providers:
  v:
    kind: vault
    vault: x-\${env:VAULT}-\${env:EMPTY}
    pin: "\${file:/secrets/pin}"
    endpoint: https://kms.example.com
    credentials: { data: { token: "\${file:/secrets/two}" } }
    failureDomain: rack-7
    jurisdiction: EU
    entity: US
    certification: FIPS 140-3 level 3
    protection: hsm
`);
    expect(providers).toEqual([
      {
        name: "v",
        kind: "vault",
        options: {
          vault: "x-v1-",
          pin: "1234",
          endpoint: "https://kms.example.com",
          credentials: { data: { token: "a\nb" } },
        },
        failureDomain: "rack-7",
        jurisdiction: "EU",
        entity: ["US"],
        certification: "FIPS 140-3 level 3",
        protection: "hsm",
      },
    ]);
  });

  it.for([
    ["http://127.0.0.1:4566", true],
    ["http://localhost:4566", true],
    ["http://[::1]:4566", true],
    ["http://127.0.0.1.example.com", false],
    ["http://10.0.0.1", false],
    ["ftp://127.0.0.1", false],
    ["kms.example.com", false],
  ] as const)("takes the endpoint %s: %s", async ([endpoint, accepted]) => {
    const result = await parse(`providers: { h: { kind: local-hsm, endpoint: "${endpoint}" } }`);
    expect(result.ok).toBe(accepted);
  });

  it("takes numbers and flags from the environment", async () => {
    const { listen } = await configOf(
      'providers: { a: { kind: local-hsm } }\nlisten: { port: "${env:PORT}", insecureHttp: "true" }',
    );
    expect(listen).toMatchObject({ port: 9443, insecureHttp: true });
  });

  it("does not look for references in what a reference gave", async () => {
    const result = await parse('providers: { v: { kind: vault, vault: "${env:LOOP}" } }', {
      environment: { LOOP: "${env:LOOP}" },
    });
    expect(result).toMatchObject({ ok: true, config: { providers: [{ options: { vault: "${env:LOOP}" } }] } });
  });

  it.for([
    ["{ kind: local-hsm }", "local-hsm"],
    ["{ kind: local-hsm, folder: /a }", "local-hsm:/a"],
    ["{ kind: local-hsm, module: /lib/x.so }", "local-hsm:/lib/x.so"],
    ["{ kind: local-hsm, folder: /a, failureDomain: b }", "b"],
  ] as const)("puts the provider %s in the failure domain %s", async ([provider, domain]) => {
    const { providers } = await configOf(`providers: { a: ${provider} }`);
    expect(providers[0]?.failureDomain).toBe(domain);
  });

  it("has a hash that follows what decides where keys lie, and nothing else", async () => {
    const hashOf = async (text: string): Promise<string> => (await configOf(text)).policyHash;
    const base = await hashOf("providers: { v: { kind: vault, vault: v } }");
    expect(
      await hashOf("# other text\nproviders:\n  v: { vault: other, kind: vault, pin: '1' }\nlisten: { port: 1 }"),
    ).toBe(base);
    expect(await hashOf("providers: { w: { kind: vault, vault: v } }")).not.toBe(base);
    expect(await hashOf("providers: { v: { kind: vault, vault: v, jurisdiction: EU } }")).not.toBe(base);
    expect(
      await hashOf("providers: { v: { kind: vault, vault: v } }\nroutes: [{ name: x, place: { holders: all } }]"),
    ).not.toBe(base);
  });
});

describe("what is shipped", () => {
  const environment = { DATA_KEY_ID: "AKIADATA", CONTROL_KEY_ID: "AKIACONTROL", PORT: "8443" };
  const parseShipped = (text: string): ReturnType<typeof parseConfig> =>
    parseConfig({ text, kinds: PROVIDER_KINDS, environment, readFile: () => "a long enough secret\n" });

  it.for(readdirSync(EXAMPLES))("the example %s parses with the real kinds", async (file) => {
    const result = await parseShipped(readFileSync(`${EXAMPLES}/${file}`, "utf8"));
    expect(result).toMatchObject({ ok: true });
  });

  it("the built-in default parses: two software HSMs, one failure domain, one route", async () => {
    expect(await parseShipped(DEFAULT_CONFIG)).toMatchObject({
      ok: true,
      config: {
        providers: [
          { name: "hsm-a", kind: "local-hsm", failureDomain: "this-machine" },
          { name: "hsm-b", kind: "local-hsm", failureDomain: "this-machine" },
        ],
        routes: [{ name: "default", place: { holders: "all" } }],
      },
    });
  });

  it("the example of two software HSMs says the same as the built-in default", async () => {
    const [example, builtIn] = await Promise.all([
      parseShipped(readFileSync(`${EXAMPLES}/two-software-hsms.yaml`, "utf8")),
      parseShipped(DEFAULT_CONFIG),
    ]);
    expect(example).toEqual(builtIn);
  });
});
