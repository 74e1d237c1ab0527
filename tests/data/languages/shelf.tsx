/* A button. */
export function Button({ label }: Props) {
  return <b>{label}</b>;
}
export const Row: FC = () => {
  return <Button label="x" />;
};
