import { X509Certificate } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { type AwsKmsFake, openAwsKmsFake } from "../fakes/aws-kms/fake.ts";
import { type CodeBlock, readCodeBlocks } from "./readme/code-blocks.ts";
import { Reader } from "./readme/reader.ts";
import { readTranscript, type Step } from "./readme/transcript.ts";

const ROOT = new URL("../../", import.meta.url);
const README = await readFile(new URL("README.md", ROOT), "utf8");
const BLOCKS = readCodeBlocks(README);
const { scripts } = JSON.parse(await readFile(new URL("package.json", ROOT), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};
const SERVES_MS = 60_000;
const TRUST_JAVA = `public class Trust {
  public static void main(String[] words) throws Exception {
    System.out.println(new String(java.net.URI.create(words[0]).toURL().openStream().readAllBytes()));
  }
}
`;

describe("the README, followed from top to bottom in one folder", () => {
  let reader: Reader;
  let fake: AwsKmsFake;
  let banner: string;

  beforeAll(async () => {
    reader = await Reader.begin();
    fake = await openAwsKmsFake({ region: "eu-west-1" });
  });
  afterAll(async () => {
    await reader[Symbol.asyncDispose]();
    await fake[Symbol.asyncDispose]();
  }, SERVES_MS);

  for (const block of BLOCKS) {
    it(`line ${block.line}: ${titleOf(block)}`, { timeout: SERVES_MS }, async (context) => {
      if (block.text.includes("curl ") && (await reader.run("curl --version")).code !== 0) context.skip("no curl here");
      if (block.text.includes("openssl ") && (await reader.run("openssl version")).code !== 0)
        context.skip("no openssl here");
      if (block.language === "yaml") await writeConfiguration(block);
      else if (block.language === "console") await replay(readTranscript(block));
      else for (const line of block.text.split("\n").slice(0, -1)) await follow(line);
    });
  }

  /** A line of the first terminal. */
  async function follow(line: string): Promise<void> {
    if (line === "npm start") {
      expect(scripts["start"]).toBe("exec node bin/claviger.js serve");
      banner = await reader.serve("npx claviger serve");
    } else if (line.startsWith("npm ")) await requireScript(line);
    else if (line.startsWith("npx claviger serve ")) {
      banner = await reader.serve(line);
      for (const command of pastedFrom(banner)) expect(await reader.run(command), command).toMatchObject({ code: 0 });
    } else {
      // nobody types there while a gateway runs
      expect(await reader.interrupt()).toBe(0);
      expect(await reader.run(line)).toEqual({ code: 0, stdout: "", stderr: "" });
    }
  }

  /** The README's configuration, with a service that is here in place of the one in the cloud. */
  async function writeConfiguration({ text }: CodeBlock): Promise<void> {
    const config = parse(text) as { readonly providers: Record<string, Record<string, unknown>> };
    const credentials = { data: { accessKeyId: "test", secretAccessKey: "test" } };
    const providers = Object.entries(config.providers).map(([name, options]) => {
      const here = options["kind"] === "aws-kms" ? { endpoint: fake.endpoint, credentials } : {};
      const folder = options["folder"] === undefined ? {} : { folder: join(reader.folder, "disk-of-the-hsm") };
      return [name, { ...options, ...here, ...folder }];
    });
    await writeFile(
      join(reader.folder, "claviger.yaml"),
      stringify({ ...config, providers: Object.fromEntries(providers) }),
    );
  }

  async function replay(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (step.command.includes("npx claviger open ")) await loseTheDatabase();
      const { code, stdout, stderr } = await reader.run(step.command);
      const refused = step.code === undefined ? undefined : `(${step.code})`;
      expect({ code: code === 0 ? "done" : "refused", stderr: code === 0 ? "" : stderr }, step.command).toEqual(
        refused === undefined
          ? { code: "done", stderr: "" }
          : { code: "refused", stderr: expect.stringContaining(refused) },
      );
      expect(stdout, step.command).not.toContain("/docs/errors#"); // curl takes a refusal for a success
      if (step.stdout !== undefined) expect(stdout.replace(/\n?$/u, "\n"), step.command).toBe(step.stdout);
    }
  }

  async function loseTheDatabase(): Promise<void> {
    expect(await reader.interrupt()).toBe(0);
    await reader.run("rm data/claviger.db*");
  }

  it("its ciphertext opens through the other provider too, with the fake as the only service", async () => {
    const opened = linesWith("npx claviger open ").map((line) => line.replace(/--provider \S+/u, "--provider aws-eu"));
    expect(opened).toHaveLength(1);
    await rm(join(reader.folder, "disk-of-the-hsm"), { recursive: true });
    const { stdout } = await reader.run(opened[0]?.slice(2) ?? "");
    expect(stdout).toBe("hello\n");
  });

  it("the authority that clients are told to trust is one, and Node trusts it as the README says", async () => {
    expect(README).toContain("`NODE_EXTRA_CA_CERTS=data/ca.pem`");
    const authority = new X509Certificate(await readFile(join(reader.folder, "data/ca.pem")));
    expect([authority.ca, authority.checkIssued(authority)]).toEqual([true, true]);
    await reader.serve("npx claviger serve --data fresh");
    const fetched = `node -e 'fetch("https://127.0.0.1:8443/readyz").then(async (r) => console.log(await r.text()))'`;
    expect((await reader.run(fetched)).code).not.toBe(0);
    expect(await reader.run(`NODE_EXTRA_CA_CERTS=fresh/ca.pem ${fetched}`)).toMatchObject({
      stdout: '{"ready":true}\n',
    });
  }, 60_000);

  it("Python trusts it as the README says", async (context) => {
    expect(README).toMatch(/`REQUESTS_CA_BUNDLE=data\/ca\.pem`.*`SSL_CERT_FILE=data\/ca\.pem`/u);
    const ways = {
      SSL_CERT_FILE: "import urllib.request as u; print(u.urlopen('https://127.0.0.1:8443/readyz').read().decode())",
      REQUESTS_CA_BUNDLE: "import requests as r; print(r.get('https://127.0.0.1:8443/readyz').text)",
    };
    for (const [name, script] of Object.entries(ways)) {
      const [imported] = script.split(" as ");
      if ((await reader.run(`python3 -c "${imported}"`)).code !== 0)
        context.skip("no Python here, or without requests");
      expect((await reader.run(`python3 -c "${script}"`)).code).not.toBe(0);
      expect(await reader.run(`${name}=fresh/ca.pem python3 -c "${script}"`)).toMatchObject({
        stdout: '{"ready":true}\n',
      });
    }
  }, 60_000);

  it("Java trusts it as the README says", async (context) => {
    const [, keytool = "", option = ""] = /`(keytool [^`]+)`, then `(-D[^`]+)`/u.exec(README) ?? [];
    if (process.env["CLAVIGER_TEST_ALL"] !== "1")
      context.skip("takes seconds: run with CLAVIGER_TEST_ALL=1, as .ci/run does");
    if ((await reader.run("javac -version")).code !== 0) context.skip("no Java here");
    await writeFile(join(reader.folder, "Trust.java"), TRUST_JAVA);
    expect(await reader.run(keytool.replace("data/ca.pem", "fresh/ca.pem"))).toMatchObject({ code: 0 });
    expect((await reader.run("java Trust.java https://127.0.0.1:8443/readyz")).code).not.toBe(0);
    expect(await reader.run(`java ${option} Trust.java https://127.0.0.1:8443/readyz`)).toMatchObject({
      stdout: '{"ready":true}\n',
    });
  }, 60_000);
});

describe("a command that the README names in a sentence", () => {
  const named = [...README.matchAll(/`npx claviger (?<words>[a-z][a-z -]*)[^`]*`/gu)].map(
    ({ groups }) => groups?.["words"]?.trim() ?? "",
  );

  it.for([...new Set(named)])("is one: %s", async (words) => {
    await using reader = await Reader.begin();
    const { code, stdout } = await reader.run(`npx claviger ${words} --help`);
    expect([code, stdout.split("\n")[0]]).toEqual([0, expect.stringContaining(`npx claviger ${words}`)]);
  });
});

describe("the README", () => {
  it("is short enough to be read", () => {
    expect(README.split("\n").length).toBeLessThan(200);
  });

  it("has no block of which nobody knows how to test it", () => {
    expect(BLOCKS.filter(({ language }) => !["sh", "console", "yaml"].includes(language))).toEqual([]);
  });
});

async function requireScript(line: string): Promise<void> {
  const [, verb = "", name = ""] = line.split(" ");
  if (verb === "run") expect(Object.keys(scripts)).toContain(name);
  else {
    if (verb !== "ci") expect(Object.keys(scripts)).toContain(verb);
    expect(await readFile(new URL(".ci/run", ROOT), "utf8")).toMatch(new RegExp(`^${line}$`, "mu"));
  }
}

/** The commands that a gateway prints when it has started. */
function pastedFrom(banner: string): readonly string[] {
  const commands = banner
    .split("\n")
    .flatMap((line) => /^ {4}(?<command>\S.*)$/u.exec(line)?.groups?.["command"] ?? []);
  expect(commands.length).toBe(4);
  return commands;
}

function linesWith(part: string): readonly string[] {
  return BLOCKS.flatMap(({ text }) => text.split("\n")).filter((line) => line.includes(part));
}

function titleOf({ language, text }: CodeBlock): string {
  return language === "yaml" ? "configuration" : (text.split("\n")[0] ?? "");
}
