/** What is wrong with a policy, and where: `rules[0].selection.countNumber`. */
export interface DocumentFault {
  readonly at: string;
  readonly message: string;
}

/** What a conversion cannot say, or says otherwise, in words; `at` is the place in the document that was converted. */
export interface Loss {
  readonly at: string;
  readonly message: string;
}
