import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import { findNames } from '../lib/search';

interface ComboboxProps {
  label: string;
  isLabelUnseen?: boolean;
  names: string[];
  value: string; /* '': nobody */
  onChange: (name: string) => void;
  placeholder?: string;
}

/* More are found by typing on. */
const MOST_SHOWN = 60;

/* One name out of many: an editable combobox with a list, as in the ARIA Authoring Practices. Only names of the
 * list can be chosen; what is typed beside is forgotten. */
export function Combobox({ label, isLabelUnseen, names, value, onChange, placeholder }: ComboboxProps) {
  const id = useId();
  const [typed, setTyped] = useState<string | null>(null); /* null: shows the value */
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const list = useRef<HTMLUListElement>(null);
  const found = useMemo(() => findNames(names, typed ?? ''), [names, typed]);
  const shown = found.slice(0, MOST_SHOWN);

  useEffect(() => {
    if (isOpen && active >= 0) list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
  }, [isOpen, active]);

  const close = (): void => {
    setOpen(false);
    setActive(-1);
    setTyped(null);
  };
  const choose = (name: string): void => {
    if (name !== value) onChange(name);
    close();
  };
  const open = (at: number): void => {
    setOpen(true);
    setActive(at);
  };
  const leave = (): void => {
    if (typed === '') choose('');
    else if (typed !== null && found.length === 1 && found[0] !== undefined) choose(found[0]);
    else close();
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const last = shown.length - 1;
    switch (event.key) {
      case 'ArrowDown':
        open(isOpen && active < last ? active + 1 : 0);
        break;
      case 'ArrowUp':
        open(isOpen && active > 0 ? active - 1 : last);
        break;
      case 'Enter': {
        if (!isOpen) return;
        const name = shown[active >= 0 ? active : 0];
        if (typed === '' && active < 0) choose('');
        else if (name !== undefined) choose(name);
        break;
      }
      case 'Escape':
        if (isOpen) close();
        else if (value !== '') choose('');
        else return;
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  return (
    <div class="combobox">
      <label for={id} class={isLabelUnseen ? 'unseen' : ''}>
        {label}
      </label>
      <div class="combobox-field">
        <input
          id={id}
          type="text"
          role="combobox"
          autocomplete="off"
          spellcheck={false}
          aria-autocomplete="list"
          aria-expanded={isOpen}
          aria-controls={`${id}-list`}
          aria-activedescendant={isOpen && active >= 0 ? `${id}-${active}` : undefined}
          placeholder={placeholder}
          value={typed ?? value}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            open(event.currentTarget.value === '' ? -1 : 0);
          }}
          onKeyDown={onKeyDown}
          onClick={() => (isOpen ? undefined : open(-1))}
          onBlur={leave}
        />
        {value !== '' && (
          <button type="button" class="clear" aria-label={`Clear: ${label}`} onClick={() => choose('')}>
            <span aria-hidden="true">×</span>
          </button>
        )}
      </div>
      {/* mousedown would take the focus from the field, and the field would close the list before the click. */}
      <ul
        id={`${id}-list`}
        ref={list}
        role="listbox"
        aria-label={label}
        hidden={!isOpen || shown.length === 0}
        onMouseDown={(event) => event.preventDefault()}
      >
        {isOpen &&
          shown.map((name, index) => (
            <li
              key={name}
              id={`${id}-${index}`}
              role="option"
              aria-selected={name === value}
              class={index === active ? 'active' : ''}
              onClick={() => choose(name)}
            >
              {name}
            </li>
          ))}
      </ul>
      {isOpen && (
        <p class="combobox-count" role="status">
          {found.length === 0
            ? 'Nobody of that name'
            : found.length > MOST_SHOWN
              ? `${MOST_SHOWN} of ${found.length}; type to find others`
              : typed
                ? `${found.length} found`
                : ''}
        </p>
      )}
    </div>
  );
}
