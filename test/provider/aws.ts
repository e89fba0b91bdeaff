import type { Environment } from "../../src/auth/credential.ts";
import { collect, streamOf } from "../../src/oci/stream.ts";
import type { Transport } from "../../src/transport/transport.ts";

/** One call of an AWS API, as it went over the wire. */
export interface AwsCall {
  /** As botocore calls it. */
  readonly service: "ecr" | "ecr-public";
  readonly operation: string;
  readonly host: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly status: number;
  readonly response: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** Answers an operation: with JSON, or with an error of AWS. */
export type AwsAnswers = Readonly<Record<string, (request: Readonly<Record<string, unknown>>) => unknown>>;

/** An error as the JSON protocol of AWS has it. */
export interface AwsFault {
  readonly fault: string;
  readonly message?: string;
  readonly status?: number;
}

export function fault(name: string, message = `this is ${name}`, status = 400): AwsFault {
  return { fault: name, message, status };
}

/** Variables with an access key, and no metadata service. */
export const awsEnv: Environment = {
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  AWS_EC2_METADATA_DISABLED: "true",
};

/** A transport to the JSON APIs of AWS that answers each operation by a function, and keeps what was asked. */
export function awsApi(answers: AwsAnswers): { readonly transport: Transport; readonly calls: AwsCall[] } {
  const calls: AwsCall[] = [];
  const transport: Transport = async ({ url, headers, body }) => {
    const [target = "", operation = ""] = (headers["x-amz-target"] ?? "").split(".");
    const text = body ? Buffer.from(await collect(await body.open(), 1 << 20)).toString() : "{}";
    const request = JSON.parse(text) as Record<string, unknown>;
    const answer = answers[operation];
    if (!answer) throw new Error(`nobody answers ${operation} at ${url.href}`);
    const made = answer(request);
    const isFault = typeof made === "object" && made !== null && "fault" in made;
    const { fault: name, message, status = 400 } = isFault ? (made as AwsFault) : { fault: "" };
    const response = isFault ? { __type: `com.amazonaws#${name}`, message } : made;
    const service = target.startsWith("Spencer") ? "ecr-public" : "ecr";
    calls.push({ service, operation, host: url.host, request, status: isFault ? status : 200, response, headers });
    return {
      status: isFault ? status : 200,
      headers: { "content-type": "application/x-amz-json-1.1" },
      body: streamOf(Buffer.from(JSON.stringify(response))),
    };
  };
  return { transport, calls };
}
