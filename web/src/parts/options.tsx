// The options of a select element.

/** Options: what each stands for, and what it is called. */
export function Options({ of }: { of: readonly (readonly [value: string, name: string])[] }) {
  return (
    <>
      {of.map(([value, name]) => (
        <option key={value} value={value}>
          {name}
        </option>
      ))}
    </>
  );
}
