import type { ErrorCode } from "../../oci/error.ts";

/** What certain words in a refusal mean, which its status and code alone do not say. */
export interface AnswerRule {
  readonly words: RegExp;
  /** Any that is no success, unless given. */
  readonly statuses?: readonly number[];
  /** What it is, where the registry calls it something else. */
  readonly code?: ErrorCode;
  readonly hint: string;
  readonly retryable?: boolean;
}

/** The first that fits counts. Words are those of registries and of the servers before them; none names a service. */
export const answerRules: readonly AnswerRule[] = [
  {
    words: /HAP429/,
    hint: "this limits requests, not pulls: wait some minutes, and then with fewer at once; a login may not help",
  },
  {
    words: /pull rate limit|rate limit.{0,40}pulls?\b/i,
    hint: "pulls are counted by address or account: log in, ask for digests instead, or use a mirror",
  },
  {
    words: /ThrottlingException|LimitExceededException|Rate exceeded/,
    code: "TOOMANYREQUESTS",
    hint: "the service limits requests: try again later, with fewer at once",
    retryable: true,
  },
  {
    words: /not (?:yet|been) valid|used before issued|\bnbf\b/i,
    statuses: [400, 401, 403],
    code: "UNAUTHORIZED",
    hint: "the clocks of this machine and of the registry do not agree: set this one",
  },
  {
    words: /token (?:has |is |was )?expired|expired token/i,
    statuses: [400, 401, 403],
    code: "UNAUTHORIZED",
    hint: "log in again, or use a credential helper, which renews logins by itself",
  },
  {
    words: /authorization token is invalid/i,
    statuses: [400, 401, 403],
    code: "UNAUTHORIZED",
    hint: "the login is for another service or has expired: log in again, or log out where anybody may pull",
  },
  {
    words: /client with ip.{0,80}is not allowed/i,
    hint: "the registry lets in certain addresses only: have this one allowed; it is no matter of logins",
  },
  {
    words: /unauthenticated request/i,
    code: "UNAUTHORIZED",
    hint: "nobody is logged in to this very host: a login to another one of the same service does not count",
  },
  {
    words: /denied on resource/i,
    hint: "the account's role lacks this permission, or the repository does not exist there",
  },
  {
    words: /permission_denied: \w*package/i,
    hint: "link the package to its source repository or give access to it there; a workflow needs packages: write",
  },
  {
    words: /not allowed to create .{0,40}package/i,
    hint: "the organisation's settings, or the workflow's permissions, forbid new packages",
  },
  {
    words: /HTTP Basic: Access denied/i,
    hint: "with a second factor a password does not do: log in with an access token that may use the registry",
  },
  {
    words: /acr\/authorization/i,
    hint: "log in again: such a login lasts some hours only",
  },
  {
    words: /operation is disallowed/i,
    hint: "the image or the repository is locked there: unlock it first",
  },
  {
    words: /repository with name .{0,300}does not exist/i,
    hint: "create the repository first: this registry makes none by itself",
  },
  {
    words: /immutable|ImageTagAlreadyExists/i,
    statuses: [400, 403, 409, 412],
    code: "DENIED",
    hint: "the tag may not be moved: push another one, or have the rule changed",
  },
  {
    words: /POLICYVIOLATION|due to configured policy|vulnerabilit|not signed/i,
    statuses: [403, 412],
    code: "DENIED",
    hint: "a rule of the project refuses the image: look at its findings and signatures there",
  },
  {
    words: /quota|configured upper limit/i,
    statuses: [400, 403, 413, 507],
    code: "DENIED",
    hint: "the space that is allowed is used up: delete images, and have the registry collect what is garbage",
  },
  {
    words: /DANGLING_TAG|PARENT_IMAGE/,
    hint: "delete what needs it first: tags, then indexes, then their images",
  },
  {
    words: /no required SSL certificate was sent/i,
    code: "UNAUTHORIZED",
    hint: "give a client certificate and its key for this host",
  },
  {
    words: /SSL certificate error/i,
    statuses: [400],
    code: "UNAUTHORIZED",
    hint: "the client certificate is not accepted: it may have expired, or be of another authority",
  },
  {
    words: /plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server/i,
    statuses: [400],
    code: "NETWORK",
    hint: "it speaks TLS there: leave --plain-http out",
  },
  {
    words: /only one auth mechanism allowed/i,
    hint: "something between passes our login on to the storage: have it taken out there",
  },
  {
    words: /requested URL could not be retrieved/i,
    hint: "a proxy between could not reach it: check the proxy settings, or write the host into NO_PROXY",
  },
];
