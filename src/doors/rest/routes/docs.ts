import { z } from "zod";
import { publicRoute, type Reply, type Route } from "#http/route.ts";
import { errorsPage } from "../docs/errors-page.ts";
import { PAGE_HEADERS } from "../docs/frame.ts";
import { docsPage } from "../docs/page.ts";
import { openApiDocument } from "../openapi.ts";

const OPEN = {
  plane: "ops",
  method: "GET",
  changes: false,
  maxBodyBytes: 0,
  query: undefined,
  body: undefined,
} as const;

/** What the door says of itself: the OpenAPI document of the given routes and of these, and its pages. Everything is made at the start. */
export function docsRoutes(described: readonly Route[], version: string): readonly Route[] {
  const routes = [
    publicRoute({
      ...OPEN,
      path: "/openapi.json",
      operation: "openapi",
      summary: "This interface as an OpenAPI 3.1 document",
      answers: { 200: z.looseObject({ openapi: z.string() }) },
      handle: async () => await Promise.resolve({ status: 200, body: openapi }),
    }),
    publicRoute({
      ...OPEN,
      path: "/docs",
      produces: "text/html",
      operation: "docs",
      summary: "This interface as a page",
      answers: { 200: undefined },
      handle: async () => await Promise.resolve(page(docs)),
    }),
    publicRoute({
      ...OPEN,
      path: "/docs/errors",
      produces: "text/html",
      operation: "docs.errors",
      summary: "The error codes as a page",
      answers: { 200: undefined },
      handle: async () => await Promise.resolve(page(errors)),
    }),
  ];
  const document = openApiDocument([...described, ...routes], version);
  const [openapi, docs, errors] = [JSON.stringify(document), docsPage(document), errorsPage(version)];
  return routes;
}

function page(body: string): Reply {
  return { status: 200, body, headers: PAGE_HEADERS };
}
