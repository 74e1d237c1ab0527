namespace A.B
{
    /// <summary>
    /// A thing.
    /// </summary>
    [Serializable]
    public class Thing : Base
    {
        private const int Max = 3;
        public Thing(int a)
        {
        }
        /// <summary>Runs it.</summary>
        [Test]
        public async Task<int> Run<T>(int a)
        {
            return 1;
        }
        public int Size
        {
            get { return 1; }
        }
    }
    public enum Color { Red }
}
