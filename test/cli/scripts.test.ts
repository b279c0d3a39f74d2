import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { doctorOffline } from "#offline/doctor.ts";
import { openOffline } from "#offline/open.ts";
import { verifyAuditOffline } from "#offline/verify-audit.ts";
import { obtainGateway, type ScriptGateway } from "./gateway.ts";
import { runScript, type ScriptTarget } from "./run-script.ts";

const FOLDER = new URL("scripts/", import.meta.url);
const STARTING_MS = 60_000;

const host = { environment: {}, readText: (path: string) => readFileSync(path, "utf8") };
const noServer = async (): Promise<number> => await Promise.reject(new Error("scripts do not start servers"));

describe("the command as it is typed", () => {
  let gateway: ScriptGateway | undefined;
  const target = (): ScriptTarget => {
    if (gateway === undefined) throw new Error("the gateway did not start");
    return {
      environment: gateway.environment,
      data: gateway.data,
      offline: {
        serve: noServer,
        init: noServer,
        doctor: async (options) => await doctorOffline(options, host),
        open: async (options) => await openOffline(options, host),
        verifyAudit: async (options) => await verifyAuditOffline(options),
      },
    };
  };

  beforeAll(async () => {
    gateway = await obtainGateway();
  }, STARTING_MS);
  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]();
  }, STARTING_MS);

  for (const name of readdirSync(FOLDER).toSorted()) {
    it(name.replace(/\.txt$/u, "").replaceAll("-", " "), async () => {
      const { expected, actual } = await runScript(readFileSync(new URL(name, FOLDER), "utf8"), target());
      expect(actual).toBe(expected);
    });
  }
});
