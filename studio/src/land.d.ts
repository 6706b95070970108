declare module 'virtual:land' {
  const outline: string; /* land.ts says in what */
  export default outline;
}
