import { expect } from "vitest";
import type { RegistryError } from "../../src/oci/error.ts";
import { ecr } from "../../src/provider/ecr/provider.ts";
import type { ServiceContext } from "../../src/provider/provider.ts";
import type { ServiceRegistry } from "../../src/provider/service.ts";
import { instantClock } from "../support/instant-clock.ts";
import { awsApi, awsEnv, type AwsAnswers, type AwsCall } from "./aws.ts";
import { ecrAnswers } from "./aws-answers.ts";
import { serviceContext } from "./support.ts";

export const host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/** A registry of ECR whose API answers so; without answers, nothing can be reached. */
export async function connect(
  answers: AwsAnswers,
  {
    transport = awsApi(answers).transport,
    ...more
  }: Partial<Pick<ServiceContext, "transport" | "clock" | "retries" | "env" | "api">> = {},
  at = host,
): Promise<ServiceRegistry> {
  const base = serviceContext(at, { env: awsEnv, clock: instantClock(), ...more });
  const isSilent = Object.keys(answers).length === 0;
  return ecr.connect(isSilent ? base : { ...base, transport });
}

/** A registry of ECR that answers all there is, some of it otherwise, and what it was asked. */
export async function using(
  answers: AwsAnswers,
  more: Parameters<typeof connect>[1] = {},
  at = host,
): Promise<{ readonly service: ServiceRegistry; readonly calls: readonly AwsCall[] }> {
  const api = awsApi({ ...ecrAnswers, ...answers });
  return {
    service: await connect({ ...ecrAnswers, ...answers }, { ...more, transport: api.transport }, at),
    calls: api.calls,
  };
}

/** The error that a promise rejects with. */
export function thrown(work: Promise<unknown>): Promise<RegistryError> {
  return work.then(
    () => expect.unreachable("nothing was thrown"),
    (error: unknown) => error as RegistryError,
  );
}
