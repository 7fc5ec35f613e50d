/** Runs a program of this folder: its status is the process's, and an error that nobody expected is status 1. */
export function runProgram(main: () => Promise<number>): void {
  main().then(
    (status) => {
      process.exitCode = status;
    },
    (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
}
