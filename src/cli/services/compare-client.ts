import { type Resource, resourcesAt, textAt, textsAt, valueAt } from "../resource.ts";
import type { Service } from "./parse-services.ts";

/** How a client of the gateway differs from what the file says of it: one text each, empty if not at all. */
export function clientDifferences(service: Service, client: Resource): readonly string[] {
  const pairs = valueAt(client, "contextEquals");
  return [
    ...differs("role", service.role, textAt(client, "role")),
    ...differs("keys", listed(service.keys), listed(textsAt(client, "keys"))),
    ...differs("allow", listed(service.allow), listed(textsAt(client, "allow"))),
    ...differs("contextEquals", paired(service.contextEquals), paired(pairs)),
    ...differs("expireTime", instant(service.expireTime), instant(textAt(client, "expireTime"))),
  ];
}

/** Whether the client has a credential that counts, of the kind and with the subject that the file says. */
export function inForce({ credential, subject }: Service, client: Resource): boolean {
  return resourcesAt(client, "credentials").some(
    (one) =>
      textAt(one, "state") === "active" && textAt(one, "kind") === credential && textAt(one, "subject") === subject,
  );
}

function differs(member: string, wanted: string | undefined, is: string | undefined): readonly string[] {
  return wanted === is ? [] : [`${member}: wanted ${wanted || "none"}, is ${is || "none"}`];
}

/** In one order: it means nothing to the gateway. */
function listed(items: readonly string[]): string {
  return items.toSorted().join(", ");
}

function paired(pairs: unknown): string {
  return Object.entries(pairs ?? {})
    .map(([name, value]) => `${name}=${String(value)}`)
    .toSorted()
    .join(", ");
}

function instant(time: string | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}
