const SHORT_NAME = "^[a-z][a-z0-9-]{0,62}$";

/** Names of namespaces, providers and routes (api.md § 1.3); `gateway` and `system` are reserved. */
export const NAMESPACE_NAME = new RegExp(SHORT_NAME, "u");
export const PROVIDER_NAME = new RegExp(SHORT_NAME, "u");
export const ROUTE_NAME = new RegExp(SHORT_NAME, "u");
export const RESERVED_NAMES: readonly string[] = ["gateway", "system"];
/** Names and aliases of keys; neither starts with `key_`. */
export const KEY_NAME = /^(?!key_)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/u;
export const KEY_ALIAS = /^(?!key_)[A-Za-z0-9][A-Za-z0-9._/-]{0,249}$/u;
export const LABEL_KEY = /^[a-z][a-z0-9._-]{0,62}$/u;
