import { Secret } from "./secret.ts";

/** What proves who we are: a user and password, an identity (refresh) token that buys tokens, or a token used as it is. */
export type Credential = (
  | { readonly kind: "basic"; readonly username: string; readonly password: Secret }
  | { readonly kind: "identity"; readonly token: Secret }
  | { readonly kind: "bearer"; readonly token: Secret }
) & {
  /** Where exactly it was found, for people: a file and the key in it, the names of variables. */
  readonly origin?: string;
  /** Until when it is good, in milliseconds since 1970: then its source is asked for another. */
  readonly expires?: number;
};

/** A place where credentials are kept. */
export interface CredentialSource {
  /** What a person calls it: a flag, a file. */
  readonly name: string;
  /** The credential for a repository (`path`, may be empty) of a host (`name[:port]`), as it is now; none is `undefined`. */
  find(host: string, path: string, signal?: AbortSignal): Promise<Credential | undefined>;
}

/** Told of what is not right with a place where credentials for `host` are kept, but does not keep them from being used. */
export type OnWarning = (text: string, host: string) => void;

/** The variables of a process, by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The first credential found wins. */
export function firstOf(...sources: readonly CredentialSource[]): CredentialSource {
  return {
    name: sources.map((source) => source.name).join(", "),
    async find(host, path, signal) {
      for (const source of sources) {
        const credential = await source.find(host, path, signal);
        if (credential) return credential;
      }
      return undefined;
    },
  };
}

/** The user name that says that its password is an identity token, by Docker's convention. */
const identityUser = "<token>";

/** A user and password, which may stand for an identity token. */
export function userPassword(username: string, password: string): Credential {
  if (username === identityUser) return { kind: "identity", token: new Secret(password) };
  return { kind: "basic", username, password: new Secret(password) };
}

/** The user and secret that stand for a credential where there is room for these two alone: what `userPassword` reads. */
export function helperLogin(credential: Exclude<Credential, { kind: "bearer" }>): {
  readonly username: string;
  readonly secret: string;
} {
  return credential.kind === "basic"
    ? { username: credential.username, secret: credential.password.reveal() }
    : { username: identityUser, secret: credential.token.reveal() };
}

/** The Authorization header by the Basic scheme; nothing for a token that is used as it is. */
export function basicHeader(credential: Credential): string | undefined {
  if (credential.kind === "bearer") return undefined;
  const { username, secret } = helperLogin(credential);
  return `Basic ${Buffer.from(`${username}:${secret}`, "utf8").toString("base64")}`;
}

/** A text from elsewhere without what a credential keeps secret, should the other end have sent it back. */
export function withoutSecret(text: string, credential: Credential | undefined): string {
  if (!credential) return text;
  const secret = (credential.kind === "basic" ? credential.password : credential.token).reveal();
  const header = basicHeader(credential)?.slice("Basic ".length);
  return [secret, header].reduce<string>((rest, one) => (one ? rest.replaceAll(one, "[secret]") : rest), text);
}
