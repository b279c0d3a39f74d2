/** The process that loads a vendor's module: one call after another, so that what hangs or crashes in there takes nothing else along. */
import { codeOf, Token } from "./token.ts";
import { TokenTrouble } from "./token-trouble.ts";
import type { CommandName, Commands, Reply, Request, WireFault } from "./wire.ts";

type Handlers = { readonly [K in CommandName]: (input: Commands[K]["in"]) => Promise<Commands[K]["out"]> };

function handlers(): Handlers {
  const opened: { token?: Token } = {};
  const token = (): Token => opened.token ?? fail();
  return {
    open: async (input) => {
      opened.token ??= await Token.open(input);
      return opened.token.facts;
    },
    list: async () => await now(token().list()),
    describe: async ({ id }) => await now(token().describe(id)),
    create: async (input) => await token().create(input),
    set: async ({ id, label, usage }) => await now(token().set(id, label, usage)),
    destroy: async ({ id }) => {
      token().destroy(id);
      return await now(null);
    },
    encrypt: async (input) => await now(token().encrypt(input)),
    decrypt: async (input) => await now(token().decrypt(input)),
    sign: async (input) => await now(token().sign(input)),
    verify: async (input) => await now(token().verify(input)),
    wrap: async (input) => await now(token().wrap(input)),
    unwrap: async (input) => await now(token().unwrap(input)),
    derive: async (input) => await now(token().derive(input)),
    random: async ({ bytes }) => await now(token().random(bytes)),
    publicKey: async ({ id }) => await now(token().publicKey(id)),
  };
}

async function now<T>(value: T): Promise<T> {
  return await Promise.resolve(value);
}

function fail(): never {
  throw new TokenTrouble("no-token", "the token was not opened");
}

function faultOf(error: unknown): WireFault {
  if (error instanceof TokenTrouble) return { trouble: error.trouble, text: error.message };
  const code = codeOf(error);
  const text = error instanceof Error ? error.name : "an error of the module";
  return code === undefined ? { text } : { code, text };
}

function serve(): void {
  const all = handlers() as unknown as Readonly<Record<CommandName, (input: unknown) => Promise<unknown>>>;
  const answer = async ({ id, name, input }: Request): Promise<Reply> => {
    try {
      return { id, ok: true, output: await all[name](input) };
    } catch (error) {
      return { id, ok: false, fault: faultOf(error) };
    }
  };
  process.on("message", (request: Request) => {
    void answer(request).then((reply) => process.send?.(reply));
  });
  process.on("disconnect", () => {
    process.exit(0);
  });
}

serve();
