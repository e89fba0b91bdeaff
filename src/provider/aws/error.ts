import { isRegistryError, RegistryError, type ErrorCode } from "../../oci/error.ts";
import { isObject } from "../../oci/descriptor.ts";
import { plainText } from "../../store/remote/answer.ts";

/** What was asked of an AWS API, for messages. */
export interface Asked {
  /** `list the images of team/app`. */
  readonly what: string;
  /** The permission that it takes: `ecr:DescribeImages`. */
  readonly action: string;
  /** The registry's host, as references name it. */
  readonly host: string;
  /** Where that is, for people: `account 123456789012 in eu-west-1`. */
  readonly place: string;
  readonly region: string;
}

interface Meaning {
  readonly code: ErrorCode;
  readonly hint?: string;
}

const renew =
  "log in to AWS again (`aws sso login`, `aws login`), or renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN";
const expired: Meaning = { code: "UNAUTHORIZED", hint: renew };
const unknownKey: Meaning = {
  code: "UNAUTHORIZED",
  hint: "the access key was deleted, lacks its AWS_SESSION_TOKEN or is of another partition of AWS (China, GovCloud), or the account has not enabled the region",
};
const badSignature: Meaning = {
  code: "UNAUTHORIZED",
  hint: "the secret does not belong to the access key, or this machine's clock is wrong",
};
const throttled: Meaning = {
  code: "TOOMANYREQUESTS",
  hint: "fewer at once, or ask for a higher quota of API requests",
};

/** What the errors of AWS mean by name, as the service models and the page of common errors have them. */
const meanings: Readonly<Record<string, Meaning>> = {
  ExpiredToken: expired,
  ExpiredTokenException: expired,
  RequestExpired: expired,
  UnrecognizedClientException: unknownKey,
  InvalidClientTokenId: unknownKey,
  InvalidSignatureException: badSignature,
  SignatureDoesNotMatch: badSignature,
  RequestTimeTooSkewed: badSignature,
  ThrottlingException: throttled,
  Throttling: throttled,
  TooManyRequestsException: throttled,
  RequestLimitExceeded: throttled,
  LimitExceededException: {
    code: "DENIED",
    hint: "a quota of the account is used up: see Service Quotas in the AWS console",
  },
  OptInRequired: { code: "DENIED", hint: "enable the region or the service for this account" },
  BlockedByOrganizationPolicyException: { code: "DENIED", hint: "a policy of the AWS organization forbids it" },
  RepositoryAlreadyExistsException: { code: "CONFLICT" },
  RepositoryNotEmptyException: { code: "CONFLICT", hint: "delete its images first, or delete it with --force" },
  ImageTagAlreadyExistsException: {
    code: "DENIED",
    hint: "tags of this repository are immutable: use another tag, or exempt it from immutability",
  },
  ImageNotFoundException: { code: "MANIFEST_UNKNOWN" },
  ImageArchivedException: {
    code: "DENIED",
    hint: "the image is archived: restore it (`aws ecr update-image-storage-class`)",
  },
  LifecyclePolicyPreviewInProgressException: {
    code: "CONFLICT",
    hint: "another preview is under way: try in a minute",
  },
  InvalidParameterException: { code: "INVALID" },
  ValidationException: { code: "INVALID" },
  InvalidTagParameterException: { code: "INVALID" },
  UnsupportedCommandException: { code: "UNSUPPORTED" },
  KmsException: { code: "DENIED", hint: "the role may not use the KMS key of the repository, or the key is disabled" },
};

/** Whether a thrown value is the AWS error of one of these names. */
export function isAws(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}

/** Whether a thrown value says that there were too many requests. */
export function isThrottled(error: unknown): boolean {
  return error instanceof Error && meanings[error.name] === throttled;
}

/** The RegistryError for what the SDK threw. */
export function awsError(error: unknown, { what, action, host, place, region }: Asked): RegistryError {
  if (isRegistryError(error)) return unreached(error, what, region);
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const status = statusOf(error);
  const fail = (code: ErrorCode, said: string, hint?: string): RegistryError =>
    new RegistryError(code, `cannot ${what}: ${said}`, {
      host,
      ...(status !== undefined && { status }),
      ...(hint !== undefined && { hint }),
      retryable: code === "TOOMANYREQUESTS" || code === "UNAVAILABLE",
    });
  const said = plainText(message) || name;
  if (name.startsWith("AccessDenied")) {
    const missing = /not authorized to perform: ([\w-]+:\w+)/.exec(message)?.[1] ?? action;
    return fail("DENIED", said, `the login lacks the permission ${missing} in ${place}: add it to the role's policy`);
  }
  if (/^(?:Repository|Registry)NotFound/.test(name)) {
    return fail(
      "NAME_UNKNOWN",
      `there is no such repository in ${place}`,
      "see whether account and region of the host are the right ones, or create it",
    );
  }
  const meaning = Object.hasOwn(meanings, name) ? meanings[name] : undefined;
  // AWS says this in the words of its own programs.
  if (meaning?.code === "MANIFEST_UNKNOWN") return fail(meaning.code, `there is no such image in ${place}`);
  if (meaning) return fail(meaning.code, said, meaning.hint);
  if (status !== undefined && status >= 500) return fail("UNAVAILABLE", `AWS answered ${status}`);
  if (error instanceof SyntaxError) return fail("NETWORK", `AWS answered ${status ?? "something"} and no JSON`);
  return fail("UNKNOWN", said === name ? said : `${said} (${plainText(name)})`);
}

function statusOf(error: unknown): number | undefined {
  if (!isObject(error)) return undefined;
  const { $metadata: metadata, $response: response } = error;
  const status = (isObject(metadata) && metadata["httpStatusCode"]) || (isObject(response) && response["statusCode"]);
  return typeof status === "number" ? status : undefined;
}

/** What kept the request from its answer; a name that nobody knows is that of a region that there is not. */
function unreached(error: RegistryError, what: string, region: string): RegistryError {
  const isUnknownHost = isObject(error.cause) && error.cause["code"] === "ENOTFOUND";
  const { code, message, stack: _, name: __, ...details } = error;
  return new RegistryError(code, `cannot ${what}: ${message}`, {
    ...details,
    cause: error.cause,
    ...(isUnknownHost && { hint: `is there a region ${region}, and can this machine look up names of AWS?` }),
  });
}
