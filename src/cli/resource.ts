/**
 * Answers of the gateway as they came. The command shows what is there and ignores what it does not know (api.md § 1.11), so members are
 * read by path, and whatever is absent or of another type is nothing.
 */
export type Resource = { readonly [member: string]: unknown };

export function isResource(value: unknown): value is Resource {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path such as `custody.kind`; undefined where there is none. */
export function valueAt(resource: Resource, path: string): unknown {
  return path.split(".").reduce<unknown>((value, member) => {
    return isResource(value) && Object.hasOwn(value, member) ? value[member] : undefined;
  }, resource);
}

export function textAt(resource: Resource, path: string): string | undefined {
  const value = valueAt(resource, path);
  return typeof value === "string" ? value : undefined;
}

export function numberAt(resource: Resource, path: string): number | undefined {
  const value = valueAt(resource, path);
  return typeof value === "number" ? value : undefined;
}

export function listAt(resource: Resource, path: string): readonly unknown[] {
  const value = valueAt(resource, path);
  return Array.isArray(value) ? value : [];
}

export function textsAt(resource: Resource, path: string): readonly string[] {
  return listAt(resource, path).filter((item) => typeof item === "string");
}

export function resourcesAt(resource: Resource, path: string): readonly Resource[] {
  return listAt(resource, path).filter(isResource);
}
