// A model that only pretends. It writes a line into the file CALLS for each call, because each costs money.

import { appendFileSync } from "node:fs";

export interface Answer {
  text: string;
  model: string;
  tokensIn: number;
  tokensOut: number;
}

export async function ask(prompt: string): Promise<Answer> {
  appendFileSync(process.env["CALLS"] as string, "draft\n");
  return { text: `${prompt} Done.`, model: "stub", tokensIn: 20, tokensOut: 5 };
}
