import { badParameter } from "./failure.ts";

export type Body = Readonly<Record<string, unknown>>;

export const isRecord = (value: unknown): value is Body =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const recordOf = (body: Body, member: string): Body => {
  const value = body[member] ?? {};
  if (!isRecord(value)) throw badParameter(`Property ${member} has invalid value`);
  return value;
};

export const optionalText = (body: Body, member: string): string | undefined => {
  const value = body[member] ?? undefined;
  if (value !== undefined && typeof value !== "string") throw badParameter(`Property ${member} has invalid value`);
  return value;
};

export const textOf = (body: Body, member: string): string => {
  const value = optionalText(body, member);
  if (value === undefined) throw badParameter(`Property ${member} is required`);
  return value;
};

export const optionalNumber = (body: Body, member: string): number | undefined => {
  const value = body[member] ?? undefined;
  if (value !== undefined && !Number.isSafeInteger(value)) throw badParameter(`Property ${member} has invalid value`);
  return typeof value === "number" ? value : undefined;
};

export const optionalFlag = (body: Body, member: string): boolean | undefined => {
  const value = body[member] ?? undefined;
  if (value !== undefined && typeof value !== "boolean") throw badParameter(`Property ${member} has invalid value`);
  return value;
};

/** Bytes in base64url without padding. */
export const optionalBytes = (body: Body, member: string): Buffer | undefined => {
  const text = optionalText(body, member);
  if (text === undefined) return undefined;
  if (!/^[\w-]*$/.test(text)) throw badParameter(`Property ${member} is not base64url`);
  return Buffer.from(text, "base64url");
};

export const bytesOf = (body: Body, member: string): Buffer => {
  const bytes = optionalBytes(body, member);
  if (bytes === undefined) throw badParameter(`Property ${member} is required`);
  return bytes;
};

/** At most 15 tags of 256 characters: the limits of the service. */
export const tagsOf = (body: Body): Readonly<Record<string, string>> | undefined => {
  if (body["tags"] === undefined || body["tags"] === null) return undefined;
  const entries = Object.entries(recordOf(body, "tags"));
  if (entries.length > 15) throw badParameter("The number of tags exceeds the maximum of 15");
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (typeof value !== "string" || name.length > 256 || value.length > 256) throw badParameter("Invalid tag");
      return [name, value];
    }),
  );
};
