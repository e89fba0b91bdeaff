import { randomBytes } from "node:crypto";
import { RegistryError } from "../../oci/error.ts";
import type { Access, Action, Verdict } from "../access.ts";
import type { ServerRequest } from "../message.ts";
import { parseBasic, parseBearer } from "./authorization.ts";
import { bcryptThread } from "./bcrypt.ts";
import { type Entries, userFile } from "./htpasswd.ts";
import { judge } from "./judge.ts";
import { openKeyFile } from "./key-file.ts";
import { originReader, type Origin, type OriginOptions } from "./origin.ts";
import { type Login, passwords, type Passwords } from "./passwords.ts";
import { type Grants, type Policy, policyOf } from "./policy.ts";
import { recent } from "./recent.ts";
import { badHost, challenge, tooManyFailures } from "./refusals.ts";
import { tokenEndpoint, tokenPath } from "./token-endpoint.ts";
import { type Pass, type Tokens, tokens } from "./tokens.ts";

export interface HtpasswdAccessOptions extends OriginOptions {
  /** An htpasswd file with bcrypt entries; read again when it changes. */
  readonly file: string;
  /** Lets those without a login pull; nobody, unless told. */
  readonly anonymousPull?: boolean;
  /** Where the key that tokens are signed with is kept (made where absent); without it, tokens end with the process. */
  readonly keyFile?: string;
  /** What each user may do; everything, unless told. The anonymous get no more than pull, whatever it says. */
  readonly grants?: Grants;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Lets the users of an htpasswd file in, by Basic authentication or by tokens of a token service of its own, which is
 * what anonymous pulls beside authenticated pushes need. Throws INVALID for settings that cannot be right; the files
 * are read by `prepare` or the first request. A user that is removed is refused at the next request.
 */
export function htpasswdAccess({
  file,
  anonymousPull = false,
  keyFile,
  grants,
  now = Date.now,
  ...naming
}: HtpasswdAccessOptions): Access {
  const users = userFile(file);
  const openKey = once(async () => (keyFile === undefined ? randomBytes(32) : await openKeyFile(keyFile)));
  const entries = (): Entries => {
    try {
      return users.entries();
    } catch (cause) {
      throw unreadable(cause);
    }
  };
  const key = (): Promise<Uint8Array> =>
    openKey().catch((cause: unknown) => {
      throw unreadable(cause);
    });
  const parts: Parts = {
    originOf: originReader(naming),
    policy: policyOf({ anonymousPull, ...(grants && { grants }) }),
    passwords: passwords({ entries, compare: bcryptThread(), now }),
    tokens: tokens({ key, entries, now }),
    lasting: keyFile !== undefined,
    entries,
    now,
  };
  const answerToken = tokenEndpoint(parts);
  return {
    open: false,
    authorize: authorizer(parts),
    route: (request) => (pathOf(request) === tokenPath ? answerToken(request) : undefined),
    prepare: async () => {
      users.entries();
      await openKey();
    },
  };
}

interface Parts {
  readonly originOf: (request: ServerRequest) => Origin | undefined;
  readonly policy: Policy;
  readonly passwords: Passwords;
  readonly tokens: Tokens;
  readonly lasting: boolean;
  readonly entries: () => Entries;
  readonly now: () => number;
}

function authorizer({ originOf, policy, passwords, tokens, entries, now }: Parts): Access["authorize"] {
  /** Tokens that were verified, by the header they come in: a token seen before is judged without a promise. */
  const passes = recent<Pass>(10_000);

  const judgePass = (origin: Origin, action: Action, pass: Pass | undefined): Verdict => {
    const { identity } = pass ?? {};
    const inTime = pass?.service === origin.service && pass.until > now();
    if (!inTime || (identity && entries().get(identity.user) !== identity.hash)) {
      return challenge(origin, action, "the token is not valid, or no longer", "invalid_token");
    }
    return judge(policy, origin, action, { ...(identity && { user: identity.user }), rights: pass.rights });
  };

  const judgeLogin = (origin: Origin, action: Action, login: Login): Verdict => {
    if (login.ok) return judge(policy, origin, action, { user: login.user });
    if (login.wait !== undefined) return { allow: false, reply: tooManyFailures(login.wait) };
    return challenge(origin, action, "these credentials are not right");
  };

  return (request, action) => {
    const origin = originOf(request);
    if (!origin) return { allow: false, reply: badHost() };
    const header = request.headers["authorization"];
    if (header === undefined) return challenge(origin, action, "authentication required");
    const pass = passes.get(header);
    if (pass) return judgePass(origin, action, pass);
    const token = parseBearer(header);
    if (token !== undefined) {
      return tokens.read(token, origin.service).then((read) => {
        if (read) passes.set(header, read);
        return judgePass(origin, action, read);
      });
    }
    const credential = parseBasic(header);
    if (!credential) return challenge(origin, action, "the Authorization header is neither Basic nor Bearer");
    const login = passwords(credential.user, credential.password, origin.client);
    if (login instanceof Promise) return login.then((login) => judgeLogin(origin, action, login));
    return judgeLogin(origin, action, login);
  };
}

function pathOf({ target }: ServerRequest): string {
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}

/** What a client is told where a file of ours is wrong; the file's name and fault are for the log alone. */
function unreadable(cause: unknown): RegistryError {
  return new RegistryError("UNAVAILABLE", "the registry cannot tell who its users are; its log says why", { cause });
}

/** Runs at the first call, and again only if that failed. */
function once<Value>(run: () => Promise<Value>): () => Promise<Value> {
  let running: Promise<Value> | undefined;
  return () =>
    (running ??= run().catch((error: unknown) => {
      running = undefined;
      throw error;
    }));
}
