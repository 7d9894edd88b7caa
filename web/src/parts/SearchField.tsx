import { SearchBox, type SearchBoxProps } from "@fluentui/react-components";
import { useState } from "react";

/**
 * A search box whose text is in the URL. The URL follows an instant later, and
 * a box that waited for it would lose keys and move the caret: while one types
 * the text is the box's own.
 */
export function SearchField({ value = "", onChange, ...rest }: Omit<SearchBoxProps, "value" | "onChange" | "onBlur"> & { value: string | undefined; onChange: (value: string | undefined) => void }) {
  const [typed, setTyped] = useState<string>();
  return (
    <SearchBox
      {...rest}
      value={typed ?? value}
      onChange={(_, d) => {
        setTyped(d.value);
        onChange(d.value || undefined);
      }}
      onBlur={() => setTyped(undefined)}
    />
  );
}
