import { cp, mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DataFolder, openDataFolder } from "../e2e/data-folder.ts";
import { Gateway } from "../e2e/live-gateway.ts";
import { Estate } from "./running/estate.ts";
import { refusedStart } from "./running/refused-start.ts";
import { edit, remove, Vandal } from "./running/vandal.ts";

const STARTS_MS = 60_000;

let folder: DataFolder;
/** A database of the same folder before its last changes. */
let older: string;
let copies = 0;

beforeAll(async () => {
  folder = await openDataFolder();
  older = `${folder.path}-older.db`;
  await using gateway = await Gateway.start({ data: folder.path });
  const estate = new Estate();
  await estate.addKey(gateway, "orders");
  new Vandal(folder.path).copyTo(older);
  await estate.addKey(gateway, "suspended");
  await gateway.ask({ method: "POST", path: "/v1/keys/suspended/suspend", body: { reason: "hold" } });
}, 120_000);
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

/** The folder of a gateway that was stopped, for one attack. */
async function copyFolder(): Promise<string> {
  copies += 1;
  const copy = `${folder.path}-${copies}`;
  await cp(folder.path, copy, { recursive: true });
  return copy;
}

type Attack = {
  readonly name: string;
  readonly run: (data: string) => Promise<unknown> | void;
  readonly line: RegExp;
  /** Rows that the log names beside the line. */
  readonly rows?: readonly string[];
};

const pinOf = (commitment: Buffer): string =>
  JSON.stringify([{ rootVersion: 1, commitment: commitment.toString("base64") }]);
const dropDatabase = async (data: string): Promise<void> => {
  for (const end of ["", "-wal", "-shm"]) await rm(join(data, `claviger.db${end}`), { force: true });
};

const ATTACKS: readonly Attack[] = [
  {
    name: "state/ was deleted",
    run: async (data) => await rm(join(data, "state"), { recursive: true }),
    line: /the state folder does not say which revision/u,
  },
  {
    name: "state/root.json pins another commitment",
    run: async (data) => await writeFile(join(data, "state/root.json"), pinOf(Buffer.alloc(32, 1))),
    line: /the root key in the database \(version 1\) is not the one that state\/root\.json pins/u,
  },
  {
    name: "state/root.json was deleted",
    run: async (data) => await rm(join(data, "state/root.json")),
    line: /root\.json is missing/u,
  },
  {
    name: "state/root.json was garbled",
    run: async (data) => await writeFile(join(data, "state/root.json"), "{"),
    line: /root\.json in the state folder is not a list/u,
  },
  {
    name: "state/revision was raised",
    run: async (data) => await writeFile(join(data, "state/revision"), "9999\n"),
    line: /goes up to revision \d+, and this gateway has seen 9999/u,
  },
  {
    name: "state/revision was deleted",
    run: async (data) => await rm(join(data, "state/revision")),
    line: /the state folder does not say which revision/u,
  },
  {
    name: "the database was replaced by an older copy",
    run: async (data) => {
      await dropDatabase(data);
      await cp(older, join(data, "claviger.db"));
    },
    line: /rolled back or damaged: it goes up to revision \d+, and this gateway has seen \d+; only restore goes back/u,
  },
  { name: "the database was deleted", run: dropDatabase, line: /the database is empty, but this gateway has seen/u },
  {
    name: "the database and state/ were deleted",
    run: async (data) => {
      await dropDatabase(data);
      await rm(join(data, "state"), { recursive: true });
    },
    line: /the database is empty, but the journal holds keys/u,
  },
  {
    name: "the database was overwritten",
    run: async (data) => {
      await dropDatabase(data);
      await writeFile(join(data, "claviger.db"), Buffer.alloc(100_000, 7));
    },
    line: /claviger\.db is not a database/u,
  },
  {
    name: "the database was cut",
    run: async (data) => await truncate(join(data, "claviger.db"), 20_000),
    line: /claviger\.db is damaged: restore it from a backup/u,
  },
  {
    name: "the file of what is not sealed was overwritten",
    run: async (data) => {
      for (const end of ["-wal", "-shm"]) await rm(join(data, `claviger.db-live${end}`), { force: true });
      await writeFile(join(data, "claviger.db-live"), Buffer.alloc(100_000, 7));
    },
    line: /claviger\.db-live is not a database/u,
  },
  {
    name: "the key that signs the trail was deleted, and none is made in its place",
    run: (data) => new Vandal(data).run((database) => remove(database, "secrets", "audit-signing-key")),
    line: /the row audit-signing-key of secrets does not verify/u,
    rows: ["secrets audit-signing-key: missing"],
  },
  {
    name: "the key of the local authority was edited, and none is made in its place",
    run: (data) =>
      new Vandal(data).run((database) => {
        edit(database, "secrets", "local-authority", ['"sealed":"', '"sealed":"AAAA']);
      }),
    line: /the row local-authority of secrets does not verify/u,
    rows: ["secrets local-authority: unsealed"],
  },
  {
    name: "client.json was garbled",
    run: async (data) => await writeFile(join(data, "client.json"), "{"),
    line: /client\.json is not JSON: mend it, or take it away/u,
  },
];

describe("a gateway is not started, and says why in one line, where", () => {
  it.for(ATTACKS)("$name", { timeout: STARTS_MS }, async ({ run, line, rows = [] }) => {
    const data = await copyFolder();
    await run(data);
    const refused = await refusedStart("--data", data);
    expect(refused).toMatchObject({ code: 1, lines: [expect.stringMatching(line)] });
    expect(refused.lines[0]).toMatch(/^claviger: /u);
    expect(refused.log.map((record) => (JSON.parse(record) as { readonly msg: string }).msg)).toEqual(
      rows.map((row) => `ROW_UNSEALED ${row}`),
    );
  });

  it("its port is in use", { timeout: STARTS_MS }, async () => {
    await using server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { readonly port: number };
    expect(await refusedStart("--data", await copyFolder(), "--port", String(port))).toEqual({
      code: 1,
      lines: [expect.stringMatching(new RegExp(`^claviger: port ${port} on 127\\.0\\.0\\.1 is in use`, "u"))],
      log: [],
    });
  });

  it("its port is none", { timeout: STARTS_MS }, async () => {
    const { code, lines } = await refusedStart("--data", await copyFolder(), "--port", "65536");
    expect({ code, lines }).toEqual({ code: 1, lines: ["claviger: --port: wanted 0..65535, got 65536"] });
  });

  it("its folder cannot be written", { timeout: STARTS_MS }, async () => {
    const file = `${folder.path}-file`;
    await writeFile(file, "");
    const { code, lines } = await refusedStart("--data", join(file, "data"));
    expect({ code, lines }).toEqual({
      code: 1,
      lines: [expect.stringMatching(/^claviger: \S+ cannot be written \(ENOTDIR\)$/u)],
    });
    await mkdir(`${folder.path}-blocked`);
    await writeFile(join(`${folder.path}-blocked`, "state"), "");
    const blocked = await refusedStart("--data", `${folder.path}-blocked`);
    expect(blocked).toMatchObject({ code: 1, lines: [expect.stringMatching(/state cannot be written \(EEXIST\)$/u)] });
  });

  it("its configuration has mistakes: a line for each, with its place", { timeout: STARTS_MS }, async () => {
    const file = `${folder.path}.yaml`;
    await writeFile(
      file,
      `providers:
  hsm: { kind: local-hsm, sael: {} }
  cloud: { kind: nothing }
routes: [{ name: default, place: { holders: [hms], minimum: 99 } }]
listen: { prot: 1 }
`,
    );
    const { code, lines } = await refusedStart("--config", file, "--data", await copyFolder());
    expect(code).toBe(1);
    expect(lines.map((line) => line.slice(`claviger: ${file}:`.length).split(":")[0])).toEqual([
      "2",
      "3",
      "4",
      "4",
      "5",
    ]);
    for (const name of ["sael", "nothing", "hms", "minimum", "prot"])
      expect(
        lines.filter((line) => line.includes(name)),
        name,
      ).toHaveLength(1);
    const gone = await refusedStart("--config", `${file}.gone`, "--data", folder.path);
    expect(gone).toEqual({ code: 1, lines: [`claviger: ${file}.gone: cannot be read (ENOENT)`], log: [] });
  });
});

describe("a gateway whose default namespace and clients were deleted", () => {
  it(
    "starts for the others, makes no namespace and no admin, and leaves client.json alone",
    { timeout: STARTS_MS },
    async () => {
      const data = await copyFolder();
      const vandal = new Vandal(data);
      vandal.run((database) => {
        remove(database, "namespaces", "default");
        database.exec("delete from clients");
      });
      const file = JSON.parse(await readFile(join(data, "client.json"), "utf8")) as object;
      await using gateway = await Gateway.start({ data });
      expect(gateway.log).toContain("ROW_UNSEALED namespaces default: missing");
      expect(gateway.log).toMatch(/ROW_UNSEALED clients cli_\S+: missing/u);
      expect((await gateway.ask({ path: "/v1/keys" })).status).toBe(401);
      expect(JSON.parse(await readFile(join(data, "client.json"), "utf8"))).toEqual({
        ...file,
        address: gateway.address.origin,
      });
      expect(vandal.find("namespaces", "id = 'default'")).toEqual([]);
      expect(vandal.find("clients", "true")).toEqual([]);
    },
  );
});
