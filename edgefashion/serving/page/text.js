// A stranger's text: what would act instead of being seen (control, bidirectional overrides) is an escape.
export const visible = (text) => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (acting) => `\\u{${acting.codePointAt(0).toString(16)}}`);
