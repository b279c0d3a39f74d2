import type { z } from "zod";
import type { Explanation } from "#broker/change-key.ts";
import { changeVersion, type VersionChange } from "#broker/change-version.ts";
import { getVersion, listVersions } from "#broker/read-keys.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { defined } from "../defined.ts";
import { toVersionJson, versionAnswer } from "../key-resource.ts";
import { listAnswer } from "../list.ts";
import { callerOf, param, type RestParts } from "../rest-parts.ts";
import {
  activateBody,
  cancelDestroyBody,
  deactivateBody,
  destroyVersionBody,
  resumeBody,
  suspendBody,
} from "../schema/verb-requests.ts";

const DAY_MS = 86_400_000;

const CONTROL = { plane: "control", maxBodyBytes: 1_048_576, query: undefined } as const;
const READ = { ...CONTROL, method: "GET", changes: false, body: undefined } as const;

/** The versions of a key, and what can be asked of one (api.md § 6). */
export function versionRoutes(parts: RestParts): readonly Route[] {
  return [...readRoutes(parts), ...verbRoutes(parts)];
}

function readRoutes(parts: RestParts): readonly Route[] {
  const { broker } = parts;
  return [
    authenticatedRoute({
      ...READ,
      path: "/v1/keys/:key/versions",
      operation: "keys.versions.list",
      summary: "The versions of a key, oldest first",
      answers: { 200: listAnswer(versionAnswer) },
      handle: async ({ params, facts }, principal) => {
        const versions = await listVersions(broker, callerOf(parts, facts, principal), param(params, "key"));
        return { status: 200, body: { items: versions.map(toVersionJson), nextCursor: null } };
      },
    }),
    authenticatedRoute({
      ...READ,
      path: "/v1/keys/:key/versions/:version",
      operation: "keys.versions.get",
      summary: "One version of a key",
      answers: { 200: versionAnswer },
      handle: async ({ params, facts }, principal) => {
        const caller = callerOf(parts, facts, principal);
        const version = await getVersion(broker, caller, param(params, "key"), numberOf(param(params, "version")));
        return { status: 200, body: toVersionJson(version) };
      },
    }),
  ];
}

function verbRoutes(parts: RestParts): readonly Route[] {
  return [
    verbRoute(parts, {
      name: "activate",
      summary: "Make a generated version usable",
      body: activateBody,
      ask: (body) => ({ verb: { kind: "activate" }, explanation: told(defined(body)) }),
    }),
    verbRoute(parts, {
      name: "suspend",
      summary: "Stop one version",
      body: suspendBody,
      ask: ({ reason, processing, ...rest }) => ({
        verb: { kind: "suspend", reason, ...defined({ processing }) },
        explanation: { reason, ...told(defined(rest)) },
      }),
    }),
    verbRoute(parts, {
      name: "resume",
      summary: "Resume a suspended version",
      body: resumeBody,
      ask: ({ reason, ...rest }) => ({ verb: { kind: "resume" }, explanation: { reason, ...told(defined(rest)) } }),
    }),
    verbRoute(parts, {
      name: "deactivate",
      summary: "Deactivate one version: it protects nothing more",
      body: deactivateBody,
      ask: ({ reason, ...rest }) => ({
        verb: { kind: "deactivate", reason },
        explanation: { reason, ...told(defined(rest)) },
      }),
    }),
    verbRoute(parts, {
      name: "destroy",
      summary: "Begin the destruction of one version that is deactivated",
      body: destroyVersionBody,
      ask: ({ confirmName, windowDays, ...rest }) => ({
        verb: { kind: "destroy", destroyTime: parts.sources.clock.now() + windowDays * DAY_MS },
        confirmName,
        explanation: told(defined(rest)),
      }),
    }),
    verbRoute(parts, {
      name: "cancel-destroy",
      summary: "End a version's destruction within its window",
      body: cancelDestroyBody,
      ask: (body) => ({ verb: { kind: "cancel-destroy" }, explanation: told(defined(body)) }),
    }),
    verbRoute(parts, {
      name: "make-primary",
      summary: "Let another version protect",
      body: activateBody,
      ask: (body) => ({ verb: { kind: "make-primary" }, explanation: told(defined(body)) }),
    }),
  ];
}

function told({ detail, ticket }: Explanation): Explanation {
  return defined({ detail, ticket });
}

type Verb<B extends z.ZodType> = {
  readonly name: string;
  readonly summary: string;
  readonly body: B;
  readonly ask: (body: z.output<B>) => VersionChange;
};

function verbRoute<B extends z.ZodType>(parts: RestParts, { name, summary, body: schema, ask }: Verb<B>): Route {
  return authenticatedRoute({
    ...CONTROL,
    method: "POST",
    changes: true,
    path: `/v1/keys/:key/versions/:version/${name}`,
    operation: `keys.versions.${name}`,
    summary,
    body: schema,
    answers: { 200: versionAnswer },
    handle: async ({ params, body, facts }, principal) => {
      const caller = callerOf(parts, facts, principal);
      const place = { key: param(params, "key"), version: numberOf(param(params, "version")) };
      return {
        status: 200,
        body: toVersionJson(await changeVersion(parts.broker, caller, place, ask(body as z.output<B>))),
      };
    },
  });
}

/** 0 for what is no number of a version: there is none of that number. */
function numberOf(text: string): number {
  return /^[1-9][0-9]{0,9}$/u.test(text) ? Number(text) : 0;
}
